import { readScalars, type ScalarOffsets } from './scalars.js';

/** The points of an event folder, one list a field: a long training has hundreds of thousands. */
export type EventPoints = {
  readonly tags: readonly string[];
  readonly steps: readonly number[];
  readonly values: readonly number[];
  /** Seconds since 1970. */
  readonly wallTimes: readonly number[];
};

/**
 * All points of an event folder so far, in the order of `readScalars`. They are kept, and only what was written since
 * the last call is read: an open page asks four times a second.
 */
export function readEventFolder(folder: string): Promise<EventPoints> {
  const kept = known.get(folder) ?? newFolder();
  known.delete(folder);
  known.set(folder, kept);
  // One after the other: two at once would both add the same points.
  kept.reading = kept.reading.catch(() => {}).then(() => readOn(folder, kept));
  return kept.reading.then(() => kept);
}

type Kept = {
  tags: string[];
  steps: number[];
  values: number[];
  wallTimes: number[];
  offsets: ScalarOffsets;
  reading: Promise<void>;
};

/** By folder; the one that was asked for last comes last. */
const known = new Map<string, Kept>();

function newFolder(): Kept {
  return { tags: [], steps: [], values: [], wallTimes: [], offsets: {}, reading: Promise.resolve() };
}

async function readOn(folder: string, kept: Kept): Promise<void> {
  const { points, offsets } = await readScalars(folder, kept.offsets);
  kept.offsets = offsets;
  for (const { tag, step, value, wallTime } of points) {
    kept.tags.push(shared(tag));
    kept.steps.push(step);
    kept.values.push(value);
    kept.wallTimes.push(wallTime);
  }
  if (points.length > 0) forgetOldest();
}

/** 32 bytes each: 16 MB for all, or whatever the one training needs that is longer. */
const MOST_POINTS = 500_000;

function forgetOldest(): void {
  let total = 0;
  for (const { steps } of known.values()) total += steps.length;
  for (const [folder, { steps }] of known) {
    if (total <= MOST_POINTS || known.size === 1) return;
    known.delete(folder);
    total -= steps.length;
  }
}

const names = new Map<string, string>();

/** One string for all points of a tag, instead of one a point. */
function shared(tag: string): string {
  const known = names.get(tag);
  if (known === undefined && names.size < 1000) names.set(tag, tag);
  return known ?? tag;
}
