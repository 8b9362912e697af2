import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';

/** What may lie where a file is expected, each made at a path. */
export const oddThings: Record<string, (path: string) => void> = {
  'a pipe': (path) => execFileSync('mkfifo', [path]),
  'a folder': (path) => mkdirSync(path),
  'a device without an end': (path) => symlinkSync('/dev/zero', path),
  'a link to nothing': (path) => symlinkSync('/nowhere/at/all', path),
  'a link to itself': (path) => symlinkSync(path, path),
  'a file of 3 GB': (path) => {
    const file = openSync(path, 'w');
    ftruncateSync(file, 3_000_000_000);
    closeSync(file);
  },
  'a million brackets': (path) => writeFileSync(path, `{"a":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`),
  'a megabyte of digits': (path) => writeFileSync(path, '1'.repeat(1_000_000)),
  'nothing but quotes': (path) => writeFileSync(path, '"'.repeat(1_000_001)),
  'bytes that are no text': (path) => writeFileSync(path, Buffer.alloc(300_000, 0xfe)),
};
