import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { ifUnreadable } from '../caught.js';
import { readTextNow } from '../files/regularFile.js';

/** Bytes of a small file of git's, and of all its packed branches and tags. */
const LARGEST = 10_000;
const LARGEST_REFS = 4_000_000;

/** The commit, read without git: a pod's image may lack git, and git refuses another user's folder. */
export function commitOf(path: string): string | null {
  try {
    const folder = gitFolder(path);
    const head = readTextNow(join(folder, 'HEAD'), LARGEST).trim();
    const ref = /^ref: (.+)$/.exec(head)?.[1];
    return asCommit(ref ? readRef(folder, ref) : head);
  } catch (error) {
    return ifUnreadable(null, 'trainers')(error);
  }
}

/** In a submodule or a worktree, `.git` is a file that names the folder. */
function gitFolder(path: string): string {
  const git = join(path, '.git');
  if (statSync(git).isDirectory()) return git;
  const named = /^gitdir: (.+)$/m.exec(readTextNow(git, LARGEST))?.[1] ?? '';
  return isAbsolute(named) ? named : resolve(path, named);
}

function readRef(folder: string, ref: string): string {
  // A worktree keeps its branches in the common folder.
  const common = join(folder, 'commondir');
  const folders = [folder, ...(existsSync(common) ? [resolve(folder, readTextNow(common, LARGEST).trim())] : [])];
  for (const each of folders) {
    if (existsSync(join(each, ref))) return readTextNow(join(each, ref), LARGEST).trim();
    const packed = join(each, 'packed-refs');
    const line =
      existsSync(packed) &&
      readTextNow(packed, LARGEST_REFS)
        .split('\n')
        .find((one) => one.endsWith(` ${ref}`));
    if (line) return line.split(' ')[0] ?? '';
  }
  return '';
}

function asCommit(text: string): string | null {
  return /^[0-9a-f]{40,64}$/.test(text) ? text : null;
}

/** The checkout that a file lies in; null where it is in none. */
export function checkoutOf(path: string): string | null {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder;
    if (folder === dirname(folder)) return null;
  }
}
