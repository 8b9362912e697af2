import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { Problem } from '../problem.js';
import { putInPlace, writeAside } from '../wholeFile.js';
import { type ParsedState, parseUiState, type RawState } from './uiState.js';

export const STATE_FILE = 'ui_state.json';
const HISTORY = 'history';
const VERSIONS_KEPT = 20;

export type StateFile =
  | ({ kind: 'whole'; signature: string } & ParsedState)
  | { kind: 'unreadable'; signature: string; reason: string }
  | { kind: 'missing' };

/** Reads `ui_state.json` of an output folder. Never throws for what a person may have done to the file. */
export async function readStateFile(folder: string): Promise<StateFile> {
  const read = await readSigned(join(folder, STATE_FILE));
  if (!read) return { kind: 'missing' };
  if ('error' in read) return { kind: 'unreadable', signature: read.error, reason: read.error };
  try {
    return { kind: 'whole', signature: read.signature, ...parseUiState(read.text) };
  } catch (error) {
    return { kind: 'unreadable', signature: read.signature, reason: (error as Error).message };
  }
}

/**
 * Changes `ui_state.json`: reads it anew, lets `change` edit the raw object, and replaces the file whole. An edit that
 * somebody else makes meanwhile (jq, an editor, another sidecar) is never lost: where the file is no longer what was
 * read, it is read again and changed again. The version before is kept in `history/`. Returns what was written.
 * Throws a Problem when the file can't be read, and the system's error when it can't be written.
 */
export async function updateStateFile(folder: string, change: (raw: RawState) => void): Promise<ParsedState> {
  for (let round = 0; round < 50; round += 1) {
    const before = await readStateFile(folder);
    if (before.kind === 'unreadable') {
      throw new Problem(
        'unreadable_state',
        422,
        `${STATE_FILE} can't be read: ${before.reason}. It was left as it is; mend it or restore a version from ${HISTORY}/.`,
      );
    }
    const raw: RawState = before.kind === 'whole' ? structuredClone(before.raw) : {};
    change(raw);
    const content = `${JSON.stringify(raw, null, 2)}\n`;
    if (before.kind === 'whole' && content === `${JSON.stringify(before.raw, null, 2)}\n`) return before;
    if (await replaceIfUnchanged(folder, content, before.kind === 'whole' ? before.signature : null)) {
      return parseUiState(content);
    }
  }
  throw new Problem(
    'busy_state',
    503,
    `${STATE_FILE} is being changed all the time by another program; nothing was lost, try again.`,
  );
}

/**
 * Runs `work` while no other process of ours changes this session's state file or starts something in it. A guard
 * against our own races only: whether a trainer may start is decided by the runner's kernel lock.
 */
export async function withSessionLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const release = await lock(folder, {
    stale: 15_000,
    retries: { retries: 60, minTimeout: 25, maxTimeout: 100 },
    lockfilePath: join(folder, `${STATE_FILE}.lock`),
    onCompromised: () => {},
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ELOCKED') {
      throw new Problem(
        'busy_session',
        409,
        'Another Trackside is working on this session right now; nothing was changed. Try again in a moment.',
      );
    }
    throw error;
  });
  try {
    return await work();
  } finally {
    await release().catch(() => {});
  }
}

async function replaceIfUnchanged(folder: string, content: string, signature: string | null): Promise<boolean> {
  const path = join(folder, STATE_FILE);
  const temporary = await writeAside(path, content);
  try {
    if (signature !== null) {
      const version = await keepVersion(folder, path);
      if (!version) return false;
      if (version.signature !== signature) {
        await rm(version.path, { force: true });
        return false;
      }
      await putInPlace(temporary, path);
      await pruneVersions(folder);
    } else {
      try {
        await link(temporary, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      }
    }
    return true;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Links the present version into `history/`, and says which one that was. Null when it has gone. */
async function keepVersion(folder: string, path: string): Promise<{ path: string; signature: string } | null> {
  await mkdir(join(folder, HISTORY), { recursive: true });
  const stamp = new Date().toISOString().replace(/[-:]/g, '');
  const version = join(folder, HISTORY, `ui_state-${stamp}-${randomBytes(2).toString('hex')}.json`);
  try {
    await link(path, version);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    // Some network volumes know no hard links.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw error;
    const signature = signatureOf(await stat(path));
    await copyFile(path, version);
    return { path: version, signature };
  }
  return { path: version, signature: signatureOf(await stat(version)) };
}

async function pruneVersions(folder: string): Promise<void> {
  const versions = (await readdir(join(folder, HISTORY))).filter((name) => /^ui_state-.*\.json$/.test(name)).sort();
  for (const name of versions.slice(0, -VERSIONS_KEPT)) await rm(join(folder, HISTORY, name), { force: true });
}

async function readSigned(path: string): Promise<{ text: string; signature: string } | { error: string } | null> {
  try {
    const file = await open(path, 'r');
    try {
      const signature = signatureOf(await file.stat());
      return { text: await file.readFile('utf8'), signature };
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? null : { error: message };
  }
}

/** Which file this is and which content it had: inode, time of change in ms, size in bytes. */
export function signatureOf(stats: Stats): string {
  return `${stats.ino}:${stats.mtimeMs}:${stats.size}`;
}
