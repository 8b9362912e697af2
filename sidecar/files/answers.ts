import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../problem.js';
import { inTime } from './inTime.js';
import { kernelText } from './kernelText.js';
import { Lru } from './lru.js';

/**
 * A network volume that hangs keeps whoever asks it for ever, and with a call that waits (`statSync`) the whole event loop.
 * So the folders of sessions are first asked in a way that waits elsewhere.
 */
const asking = new Map<string, Promise<boolean>>();
/** When each folder answered last, by `performance.now()`: one request asks several times. */
const answered = new Lru<number>(1000);
const ANSWERED_MS = 50;

/** False where the disk of a folder does not answer within 3 s. Whether the folder exists does not matter. */
export function answers(folder: string): Promise<boolean> {
  const asked = asking.get(folder);
  if (asked) return asked;
  if (performance.now() - (answered.get(folder) ?? Number.NEGATIVE_INFINITY) < ANSWERED_MS)
    return Promise.resolve(true);
  // To open it asks the server, even where its facts are remembered.
  const answer = inTime(folder, async () => (await opendir(folder)).close())
    .then(
      () => true,
      ({ code }: NodeJS.ErrnoException) => code !== 'no_answer',
    )
    .then((came) => {
      asking.delete(folder);
      if (came) answered.set(folder, performance.now());
      return came;
    });
  asking.set(folder, answer);
  return answer;
}

/** Throws a Problem where the disk of a folder does not answer. */
export async function requireAnswer(folder: string): Promise<void> {
  if (!(await answers(folder)))
    throw new Problem('disk_silent', `The disk of ${folder} does not answer.`, { todo: SILENT });
}

export const SILENT =
  'Its volume may be hanging: check in a terminal whether ls returns there. Trainings on it wait with it. Once it is back, there is nothing to do here.';

/** Is a folder on a volume whose calls may wait for ever: one of the network, or of a program (FUSE)? Asks the kernel, and no disk. */
export function mayHang(folder: string): boolean {
  const around = mounts().filter(({ at }) => isWithin(at, folder));
  // The last of the longest lies over the others.
  const on = around.reduce<Mount | null>((best, each) => (best && best.at.length > each.at.length ? best : each), null);
  return on !== null && REMOTE.test(on.type);
}

/** The entries of a folder that are volumes of their own. */
export function mountedIn(folder: string): ReadonlySet<string> {
  const within = join(folder, '/');
  return new Set(mounts().flatMap(({ at }) => (at.startsWith(within) ? [at.slice(within.length)] : [])));
}

const REMOTE = /^(?:fuse|nfs|cifs|smb|ceph|lustre|gluster|9p|afs|beegfs|gpfs|ncp|coda|orangefs|pvfs)/;
const REMEMBERED_MS = 500;

type Mount = { at: string; type: string };

let known: { at: number; mounts: readonly Mount[] } | null = null;

function mounts(): readonly Mount[] {
  if (known && performance.now() - known.at < REMEMBERED_MS) return known.mounts;
  const lines = kernelText('/proc/self/mounts').split('\n').filter(Boolean);
  known = { at: performance.now(), mounts: lines.map(mountOf) };
  return known.mounts;
}

/** Spaces and the like are written as octal numbers. */
function mountOf(line: string): Mount {
  const [, at = '', type = ''] = line.split(' ');
  return { at: at.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8))), type };
}

function isWithin(folder: string, path: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}
