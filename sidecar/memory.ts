import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Measures that leave the memory to the trainer; test/bench and test/faults/uploads measure what each is worth. */

/**
 * Restores the user's `MALLOC_ARENA_MAX` for the processes that we start: a trainer's many threads need their arenas.
 * trackside.sh sets it to 1 for us, as glibc reads it when a process starts: its memory for every thread kept 25 MB of ten
 * gigabytes of pictures.
 */
export function restoreArenas(): void {
  const { TRACKSIDE_MALLOC_ARENA_MAX: before } = process.env;
  if (before) process.env.MALLOC_ARENA_MAX = before;
  else if (before === '') delete process.env.MALLOC_ARENA_MAX;
  delete process.env.TRACKSIDE_MALLOC_ARENA_MAX;
}

/** Sets up sharp before its first picture. */
export function keepDecoderSmall(sharp: { cache(keep: false): unknown; concurrency(threads: number): unknown }): void {
  // libvips caches opened files by name, which is wrong for replaced files.
  sharp.cache(false);
  // Each thread has buffers of its own, and the trainer needs the processors.
  sharp.concurrency(1);
}

/** Bytes of a body that may wait as garbage. */
const UNCOLLECTED = 4_000_000;

let since = 0;
let collect: ((options: { type: 'minor' }) => void) | undefined;

/**
 * Counts a block of a long body that is on the disk, and collects garbage from time to time. Node allocates new memory for
 * each block, and by itself collects after 25 MB only, as it counts little of each. A collection of new objects takes less
 * than a millisecond.
 *
 * @param bytes length of the block
 */
export function collectBlocks(bytes: number): void {
  since += bytes;
  if (since < UNCOLLECTED) return;
  since = 0;
  collect ??= collector();
  collect({ type: 'minor' });
}

function collector(): NonNullable<typeof collect> {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
