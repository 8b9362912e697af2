import type { FoundFile } from '../sessions/exchange/found.js';
import { bytes } from './formatting.js';
import type { PageModel } from './frame.js';

export type ImportModel = PageModel & { found: FoundFile[]; outputs: string; tar: string };

export type ImportView = ReturnType<typeof importView>;

/** Where sessions come in from another pod, and where all of their state goes out as a backup. */
export function importView({ root, found, outputs, tar }: ImportModel) {
  return {
    action: `${root}sessions/import`,
    backup: `${root}backup`,
    outputs,
    tar: `cd ${outputs} && ${tar}`,
    rows: found.map(({ file, bytes: size, saved_at }) => ({ file, size: bytes(size), saved: saved_at })),
  };
}
