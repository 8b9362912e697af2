import { readFileSync, writeFileSync } from 'node:fs';

/** Changes a JSON file as a person does. */
export function edit(path: string, change: (content: Record<string, unknown>) => object): void {
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))));
}
