import { createHash } from 'node:crypto';
import type { DatasetDetail } from './facts.js';

/** 16 hex digits that stay the same, on any machine, as long as names, sizes in bytes and captions do. */
export function fingerprintDataset(detail: DatasetDetail): string {
  const content = detail.files.map(({ file, bytes, caption }) => [file, bytes, caption] as const);
  content.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
}
