import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { stat, statfs, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ifMissing } from '../caught.js';
import { kernelText } from '../files/kernelText.js';
import { writeWhole } from '../files/wholeFile.js';
import { type Check, error, ok, unknown, warning } from './check.js';

const GB = 1e9;
/** A state of FLUX takes a few gigabytes, and one is written before the last is removed. */
const LITTLE_BYTES = 20 * GB;
const LEAST_BYTES = 2 * GB;
const LITTLE_INODES = 20_000;
/** Seconds between the clock here and that of the disk. */
const MOST_SKEW = 5;
const EARLIEST_YEAR = 2025;

/** A folder that Trackside writes into, as people call it. */
export type Folder = { name: string; path: string };

/** Can we write into a folder, whole files in place of others? Leaves nothing behind. */
export async function checkWritable({ name, path }: Folder): Promise<Check> {
  const about = `${name} can be written`;
  if (!existsSync(path)) {
    const above = nearest(path);
    return unknown(about, `${path} does not exist yet; it will be created in ${above}.`);
  }
  const probe = join(path, `.trackside-doctor-${randomBytes(4).toString('hex')}`);
  try {
    await writeWhole(probe, 'a file that doctor writes and removes\n');
    await unlink(probe);
    return ok(about, path);
  } catch (failed) {
    const code = (failed as NodeJS.ErrnoException).code ?? '';
    return error(about, `${path}: ${(failed as Error).message}`, REMEDIES[code] ?? 'Choose another folder.');
  }
}

const REMEDIES: Record<string, string> = {
  EACCES: 'Give the folder to the user that runs Trackside (chown), or choose another one.',
  EPERM: 'Give the folder to the user that runs Trackside (chown), or choose another one.',
  EROFS: 'The disk is mounted read-only: mount it again, or choose a folder on another one (on pods: /workspace).',
  ENOSPC: 'The disk is full: remove states that no resume needs, caches and old downloads.',
  EDQUOT: 'Your quota is used up: remove files, or ask for more.',
  EIO: 'The disk reports errors: copy your checkpoints away now.',
  ESTALE: 'The network volume is gone: mount it again.',
};

/** Is there room, in bytes and in files? */
export async function checkRoom({ name, path }: Folder): Promise<Check[]> {
  const facts = await statfs(nearest(path));
  const free = facts.bavail * facts.bsize;
  const words = `${(free / GB).toFixed(1)} GB free of ${((facts.blocks * facts.bsize) / GB).toFixed(0)} GB`;
  const todo = 'Remove states that no resume needs, caches and old downloads; or use a larger volume.';
  const space = `disk of ${name}`;
  const files = `files on the disk of ${name}`;
  // Some file systems (btrfs, overlays of some providers) count no files.
  const inodes =
    facts.files === 0
      ? unknown(files, 'This file system does not count files.')
      : facts.ffree < LITTLE_INODES
        ? error(
            files,
            `Only ${facts.ffree} more files fit, however much space is free.`,
            'Remove folders with many small files, such as the caches of pip and of datasets.',
          )
        : ok(files, `${facts.ffree} more files fit`);
  if (free < LEAST_BYTES) return [error(space, words, todo), inodes];
  return [free < LITTLE_BYTES ? warning(space, words, todo) : ok(space, words), inodes];
}

/** Is the clock right, and that of the disk the same? */
export async function checkClock({ path }: Folder): Promise<Check> {
  const name = 'clock';
  const now = new Date();
  if (now.getUTCFullYear() < EARLIEST_YEAR) {
    const todo = 'Set the clock of the machine: certificates depend on it, and so does which file counts as newer.';
    return error(name, `It says ${now.toISOString()}.`, todo);
  }
  const probe = join(nearest(path), `.trackside-doctor-${randomBytes(4).toString('hex')}`);
  try {
    await writeWhole(probe, '');
    const skew = Math.round(((await stat(probe)).mtimeMs - Date.now()) / 1000);
    await unlink(probe);
    if (Math.abs(skew) <= MOST_SKEW) return ok(name, now.toISOString());
    const todo = 'Set one of the clocks: Trackside goes by the order of files on that disk.';
    return warning(
      name,
      `The disk of the outputs is ${skew} s ${skew > 0 ? 'ahead of' : 'behind'} this machine.`,
      todo,
    );
  } catch (failed) {
    return unknown(name, `It says ${now.toISOString()}; the disk’s can’t be asked (${(failed as Error).message}).`);
  }
}

/** May programs be executed from a folder? Compilers of kernels (triton, torch.compile) put theirs into temporary ones. */
export function checkExecutable({ name, path }: Folder): Check {
  const about = `programs can run from ${name}`;
  const mount = mountOf(nearest(path));
  if (!mount) return unknown(about, `It is not known where ${path} is mounted.`);
  if (!mount.options.includes('noexec')) return ok(about, path);
  const todo = `Mount ${mount.at} again without noexec, or set TMPDIR to a folder on another disk.`;
  return warning(about, `${path} is on ${mount.at}, which is mounted noexec.`, todo);
}

function mountOf(path: string): { at: string; options: string[] } | null {
  const lines = kernelText('/proc/self/mountinfo').split('\n');
  const mounts = lines.flatMap((line) => {
    const [, , , , at, options] = line.split(' ');
    if (!at || !options) return [];
    const place = at.replace(/\\040/g, ' ');
    return path === place || path.startsWith(place === '/' ? '/' : `${place}/`)
      ? [{ at: place, options: options.split(',') }]
      : [];
  });
  // The last of the longest: it lies over the others.
  return mounts.reduce<(typeof mounts)[number] | null>(
    (best, each) => (best && best.at.length > each.at.length ? best : each),
    null,
  );
}

/** Megabytes of a data loader's workers lie there. */
export async function checkShm(): Promise<Check> {
  const name = '/dev/shm';
  const facts = await statfs(name).catch(ifMissing(null));
  const todo = 'Give the container more: docker run --shm-size=8g, or --ipc=host. Until then use 0 workers.';
  if (!facts) return warning(name, 'It does not exist, so data loaders with workers fail.', todo);
  const [total, free] = [facts.blocks * facts.bsize, facts.bavail * facts.bsize];
  const words = `${(free / GB).toFixed(2)} GB free of ${(total / GB).toFixed(2)} GB`;
  if (free < 0.06 * GB) return error(name, `${words}: data loaders with workers end with a bus error.`, todo);
  return total < GB ? warning(name, words, todo) : ok(name, words);
}

function nearest(path: string): string {
  let place = path;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return place;
}
