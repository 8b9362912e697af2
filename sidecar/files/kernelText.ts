import { readFileSync } from 'node:fs';
import { readOr } from '../caught.js';

/** A file of the kernel's, whose size it does not tell; '' where this system has none. */
export function kernelText(path: string): string {
  return readOr('', 'files', () => readFileSync(path, 'utf8'));
}
