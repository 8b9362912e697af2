import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { Problem } from '../problem.js';

/** Throws a Problem where the folder for what nobody else may see lies in one of those whose files are sent to browsers. */
export function refuseShownFolder(folder: string, shown: readonly string[]): void {
  const inside = shown.find((root) => !/^\.\.(\/|$)/.test(relative(real(root), real(folder))));
  if (!inside) return;
  const message = `TRACKSIDE_PRIVATE is ${folder}, which is inside ${inside}, whose files are shown. Choose a folder outside.`;
  throw new Problem('private_folder', message);
}

/**
 * The text of a file of this folder, made and kept (modes 0700, 0600) when there is none. Of two sidecars that start at
 * once, both get the same.
 */
export function keptText(folder: string, name: string, make: () => string): string {
  const path = join(folder, name);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const kept = readKept(path);
    if (kept) return kept;
    keep(path, make());
    return readKept(path);
  } catch (error) {
    throw notWritable(folder, error as Error);
  }
}

function readKept(path: string): string {
  try {
    if (statSync(path).mode & 0o077) chmodSync(path, 0o600);
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function keep(path: string, text: string): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, `${text}\n`);
    fsyncSync(file);
    closeSync(file);
    // A link fails where a file is, unlike a rename: the first sidecar wins. An empty file is one that a crash left.
    if (readKept(path) === '') rmSync(path, { force: true });
    linkSync(temporary, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Some network volumes know no links.
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS') renameSync(temporary, path);
    else if (code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Where a path leads, or will once it is made. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // silent: not there yet.
    return path === dirname(path) ? path : join(real(dirname(path)), basename(path));
  }
}

function notWritable(folder: string, error: Error): Problem {
  return new Problem(
    'private_folder',
    `${folder} can't keep what is private (${error.message}). Choose another folder with TRACKSIDE_PRIVATE.`,
  );
}
