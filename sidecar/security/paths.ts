import { constants, existsSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readlink, realpath } from 'node:fs/promises';
import { basename, isAbsolute, relative, sep } from 'node:path';
import { ifUnreadable } from '../caught.js';
import { Problem } from '../problem.js';

/** What a path really is, links followed: null where nothing is there. Throws a Problem where it leads out of `root`. */
export async function realInside(root: string, path: string): Promise<string | null> {
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
 * Opens a plain file below `root` for reading; the caller closes it. A link is followed as long as it stays below `root`,
 * and where the file was opened is asked of the kernel afterwards: a link or a folder that is exchanged in between gives
 * nothing. Null where there is no such file. Throws a Problem where it leads out.
 */
export async function openInside(root: string, path: string): Promise<FileHandle | null> {
  // NONBLOCK: a fifo would wait for ever.
  const file = await openReal(root, path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (file === null || (await file.stat()).isFile()) return file;
  await file.close();
  return null;
}

/**
 * Does work in a folder below `root`, held by a descriptor: `at` is a path that means this very folder until the work is
 * done, whatever becomes of its name. Null where there is no such folder. Throws a Problem where it leads out.
 *
 * @example await inFolder(root, join(root, 'my-cat'), ({ at }) => writeFile(join(at, 'a.txt'), 'a cat'))
 */
export async function inFolder<T>(
  root: string,
  path: string,
  work: (folder: { at: string; real: string }) => Promise<T>,
): Promise<T | null> {
  const folder = await openReal(root, path, constants.O_RDONLY | constants.O_DIRECTORY);
  if (folder === null) return null;
  try {
    const real = await whereIs(folder);
    return await work({ at: samePath(folder, real ?? path), real: real ?? path });
  } finally {
    await folder.close();
  }
}

/** Makes a folder in one that is there, unless there is one, or anything else, of that name. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** A path by which others open the very file that `file` is, as long as it stays open; `path` where the system has none. */
export function samePath(file: FileHandle, path: string): string {
  return DESCRIPTORS ? `${DESCRIPTORS}/${file.fd}` : path;
}

/** Is it a folder itself, and no link to one? What lies in a folder of ours is not looked for elsewhere. */
export async function isOwnFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(ifUnreadable(null, 'security')))?.isDirectory() ?? false;
}

/** Does a path lie below a folder? Both absolute; nothing is looked up. */
export function isWithin(folder: string, path: string): boolean {
  const rest = relative(folder, path);
  return rest !== '' && rest !== '..' && !rest.startsWith(`..${sep}`) && !isAbsolute(rest);
}

/** Linux tells by descriptor what a file is called now; elsewhere the path has to do. */
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
    `${basename(path)} is a link that leads out of ${root}, and is not followed. Put there what it leads to, and try again.`,
  );
}
