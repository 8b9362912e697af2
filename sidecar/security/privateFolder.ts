import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { isUnanswered } from '../files/inTime.js';
import { Problem } from '../problem.js';

/** Throws a Problem if the private folder is inside a folder whose files are sent to browsers. */
export function refuseShownFolder(folder: string, shown: readonly string[]): void {
  const inside = shown.find((root) => !/^\.\.(\/|$)/.test(relative(real(root), real(folder))));
  if (!inside) return;
  const message = `TRACKSIDE_PRIVATE is ${folder}, inside ${inside}, whose files the pages show. Choose a folder outside.`;
  throw new Problem('private_folder', message);
}

/**
 * Reads the text of a file in this folder, or makes and keeps it (modes 0700, 0600). Two sidecars that start at once get the
 * same text.
 */
export function keptText(folder: string, name: string, make: () => string): string {
  const path = join(folder, name);
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
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
    if (fs.statSync(path).mode & 0o077) fs.chmodSync(path, 0o600);
    return fs.readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function keep(path: string, text: string): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = fs.openSync(temporary, 'wx', 0o600);
  try {
    fs.writeSync(file, `${text}\n`);
    fs.fsyncSync(file);
    fs.closeSync(file);
    // A link fails if the file exists, unlike a rename, so the first sidecar wins. An empty file is left from a crash.
    if (readKept(path) === '') fs.rmSync(path, { force: true });
    fs.linkSync(temporary, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Some network volumes have no links.
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS') fs.renameSync(temporary, path);
    else if (code !== 'EEXIST') throw error;
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

/** The real path, also of a folder that is still to be made. */
function real(path: string): string {
  if (isUnanswered(path)) return path;
  try {
    return fs.realpathSync(path);
  } catch {
    // silent: not made yet.
    return path === dirname(path) ? path : join(real(dirname(path)), basename(path));
  }
}

function notWritable(folder: string, error: Error): Problem {
  return new Problem(
    'private_folder',
    `Trackside can't keep its token and secrets in ${folder} (${error.message}). Choose another folder with TRACKSIDE_PRIVATE.`,
  );
}
