import { randomBytes } from 'node:crypto';
import { access, constants, open, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { repeatedly } from '../caught.js';
import { answers } from '../files/answers.js';
import { discard } from '../files/discard.js';
import { diskErrorCode } from '../files/diskError.js';
import { inFile } from '../files/inFile.js';
import { onWrite, sweepTemporary } from '../files/wholeFile.js';

/** A folder that can't be written. `unsaved`: names of its files whose newest content is only in memory. */
export type DiskTrouble = { path: string; code: string; since: string; unsaved: string[] };

const LOOK_MS = 3000;
/** A disk with less free space than this is tested with a real file. */
const LITTLE_BYTES = 4 * 1024 * 1024;
/** Bytes that have to fit before a full disk counts as free again: a state file, its version, a progress file. */
const PROBE_BYTES = 64 * 1024;

/**
 * Notices a full, read-only or broken disk: by every failed write of ours, and by a regular check of the folders, which
 * costs two system calls while all is well. A folder in trouble is tested with a real file until one fits; `recovered`
 * then gets the folders. Free space alone says little: it leaves out quotas.
 */
export function createDiskWatch(options: {
  /** Absolute paths of the roots that are written to. */
  roots: string[];
  changed(): void;
  recovered(folders: string[]): void;
}) {
  const found = new Map<string, { code: string; since: string; unsaved: Set<string> }>();
  let leave = () => {};

  function failed(folder: string, code: string, file?: string): void {
    const before = found.get(folder);
    const trouble = before ?? { code, since: new Date().toISOString(), unsaved: new Set<string>() };
    const known = before?.code === code && (!file || trouble.unsaved.has(file));
    if (file) trouble.unsaved.add(file);
    found.set(folder, { ...trouble, code });
    if (!known) options.changed();
  }

  async function look(): Promise<void> {
    for (const root of options.roots) {
      const code = await firstSign(root);
      if (code) failed(root, code);
    }
    const recovered: string[] = [];
    for (const folder of [...found.keys()]) {
      const code = await tryWriting(folder);
      if (code) failed(folder, code);
      else if (found.delete(folder)) recovered.push(folder);
    }
    if (recovered.length > 0) {
      options.changed();
      options.recovered(recovered);
    }
  }

  const looking = repeatedly('disk', LOOK_MS, look);
  return {
    /** Folders that can't be written now. */
    troubles: (): DiskTrouble[] =>
      [...found].map(([path, { code, since, unsaved }]) => ({ path, code, since, unsaved: [...unsaved].sort() })),
    open() {
      leave = onWrite((path, error) => {
        const code = diskErrorCode(error);
        if (code) failed(dirname(path), code, basename(path));
      });
      for (const root of options.roots) void sweepTemporary(root);
      looking.open();
      void looking.now();
    },
    close() {
      leave();
      looking.close();
    },
  };
}

/** The error code of a folder that can't be written, from a quick check; null without a sign of trouble. */
async function firstSign(folder: string): Promise<string | null> {
  if (!(await answers(folder))) return null;
  try {
    await access(folder, constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize < LITTLE_BYTES ? await tryWriting(folder) : null;
  } catch (error) {
    return diskErrorCode(error);
  }
}

/** Writes a file and removes it. The error's code; null on success, or if the folder is gone. */
async function tryWriting(folder: string): Promise<string | null> {
  const path = join(folder, `.trackside-probe.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await inFile(open(path, 'wx', 0o600), async (file) => {
      await file.writeFile(Buffer.alloc(PROBE_BYTES));
      await file.sync();
    });
    return null;
  } catch (error) {
    return diskErrorCode(error);
  } finally {
    await discard(path);
  }
}
