import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes. Of what a fast line brings, so much may lie about. */
const HELD = 4_000_000;

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
  if (since < HELD) return;
  since = 0;
  collect ??= collector();
  collect({ type: 'minor' });
}

function collector(): NonNullable<typeof collect> {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
