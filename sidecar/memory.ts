import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Whatever keeps the sidecar small: the memory is the trainer's. What each is worth is measured by test/bench and test/faults/uploads. */

/** Called before anything large is loaded, which would make the space of new objects grow. */
export function keepHeapSmall(): void {
  // New objects get 2 MB rather than 32.
  setFlagsFromString('--semi-space-growth-factor=1');
  // What is in use may grow by so much before the rest is given back, not fourfold.
  setFlagsFromString('--heap-growing-percent=40');
}

/**
 * Gives `MALLOC_ARENA_MAX` of whoever started us to what we start. trackside.sh sets it to 1, since glibc reads it as a
 * process starts: its memory for every thread kept 25 MB of ten gigabytes of pictures. A trainer's many threads need it.
 */
export function restoreArenas(): void {
  const { TRACKSIDE_MALLOC_ARENA_MAX: before } = process.env;
  if (before) process.env.MALLOC_ARENA_MAX = before;
  else if (before === '') delete process.env.MALLOC_ARENA_MAX;
  delete process.env.TRACKSIDE_MALLOC_ARENA_MAX;
}

/** Sets sharp up before its first picture. */
export function keepDecoderSmall(sharp: { cache(keep: false): unknown; concurrency(threads: number): unknown }): void {
  // libvips keeps opened files by name, which is wrong for files that are replaced.
  sharp.cache(false);
  // Each thread of a picture has buffers of its own, and the trainer wants the processors.
  sharp.concurrency(1);
}

/** Bytes of a body that may lie about as garbage. */
const UNCOLLECTED = 4_000_000;

let since = 0;
let collect: ((options: { type: 'minor' }) => void) | undefined;

/**
 * Says that a block of a long body is on the disk. Node takes new memory for each, and gives it back when it collects: left
 * to itself after 25 MB, for the blocks are large but what it counts of them is small. A collection of what is new takes
 * less than a millisecond.
 *
 * @param bytes how long the block was
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
