import { constants, existsSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readlink, realpath } from 'node:fs/promises';
import { basename, isAbsolute, relative, sep } from 'node:path';
import { ifUnreadable } from '../caught.js';
import { requireAnswer } from '../files/answers.js';
import { inFile } from '../files/inFile.js';
import { Problem } from '../problem.js';

/** Resolves a path and its links; null if nothing is there. Throws a Problem if it leads out of `root`. */
export async function realInside(root: string, path: string): Promise<string | null> {
  await requireAnswer(root);
  try {
    const [inside, real] = await Promise.all([realpath(root), realpath(path)]);
    if (isWithin(inside, real)) return real;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
  throw leadsOut(root, path);
}

/**
 * Opens a plain file below `root` for reading; the caller closes it. Follows links that stay below `root`, and asks the
 * kernel afterwards where the opened file is, so that a link or a folder exchanged in between gains nothing. Null without
 * such a file. Throws a Problem if it leads out.
 */
export async function openInside(root: string, path: string): Promise<FileHandle | null> {
  // NONBLOCK: a fifo would wait for ever.
  const file = await openReal(root, path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (file === null || (await file.stat()).isFile()) return file;
  await file.close();
  return null;
}

/**
 * Runs work in a folder below `root`, held by a descriptor: `at` is a path that stays with this folder during the work, even
 * if the folder is renamed. Null without such a folder. Throws a Problem if it leads out.
 *
 * @example await inFolder(root, join(root, 'my-cat'), ({ at }) => writeFile(join(at, 'a.txt'), 'a cat'))
 */
export async function inFolder<T>(
  root: string,
  path: string,
  work: (folder: { at: string; real: string }) => Promise<T>,
): Promise<T | null> {
  return inFile(openReal(root, path, constants.O_RDONLY | constants.O_DIRECTORY), async (folder) => {
    if (folder === null) return null;
    const real = await whereIs(folder);
    return await work({ at: samePath(folder, real ?? path), real: real ?? path });
  });
}

/** Makes a folder in an existing one, unless the name is taken by anything. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** A path by which others open exactly this open file; `path` on systems without one. */
export function samePath(file: FileHandle, path: string): string {
  return DESCRIPTORS ? `${DESCRIPTORS}/${file.fd}` : path;
}

/** Is it a folder itself, not a link to one? */
export async function isOwnFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(ifUnreadable(null, 'security')))?.isDirectory() ?? false;
}

/** Is a path below a folder? Both absolute; compares text only. */
export function isWithin(folder: string, path: string): boolean {
  const rest = relative(folder, path);
  return rest !== '' && rest !== '..' && !rest.startsWith(`..${sep}`) && !isAbsolute(rest);
}

/** Linux names a file by its descriptor; other systems have to use the path. */
const DESCRIPTORS = existsSync('/proc/self/fd') ? '/proc/self/fd' : null;

async function openReal(root: string, path: string, flags: number): Promise<FileHandle | null> {
  const real = await realInside(root, path);
  if (real === null) return null;
  const file = await open(real, flags | constants.O_NOFOLLOW).catch((error) => {
    if (isAbsent(error)) return null;
    throw error;
  });
  if (file === null) return null;
  const where = await whereIs(file);
  if (where === null || isWithin(await realpath(root), where)) return file;
  await file.close();
  throw leadsOut(root, path);
}

async function whereIs(file: FileHandle): Promise<string | null> {
  return DESCRIPTORS ? readlink(`${DESCRIPTORS}/${file.fd}`) : null;
}

function isAbsent(error: unknown): boolean {
  const codes = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'ENXIO', 'ERR_INVALID_ARG_VALUE'];
  return codes.includes(`${(error as NodeJS.ErrnoException).code}`);
}

function leadsOut(root: string, path: string): Problem {
  return new Problem(
    'leads_out',
    `${basename(path)} is a link that leads out of ${root}, which Trackside does not follow. Replace it with what it links to, and try again.`,
  );
}
