import { ended } from '../../caught.js';
import { Lru } from '../../files/lru.js';
import { addLoss, type LossCurve, newCurve, type ThinnedCurve } from '../lossCurve.js';
import { eachScalar, type ScalarOffsets } from './scalars.js';

/**
 * The loss of every step in an event folder (`loss/current`), thinned: minima and maxima stay. The curve is kept, and
 * each call reads only new records: an open page asks four times a second.
 */
export function readLossCurve(folder: string): Promise<LossCurve> {
  const kept = known.get(folder) ?? newKept();
  known.set(folder, kept);
  // One call after the other: two at once would add the same points twice.
  kept.reading = ended(kept.reading).then(() => readOn(folder, kept));
  return kept.reading.then(() => kept);
}

type Kept = ThinnedCurve & { offsets: ScalarOffsets; reading: Promise<void> };

/** By folder: some 60 kB each. */
const known = new Lru<Kept>(64);

function newKept(): Kept {
  return { ...newCurve(), offsets: {}, reading: Promise.resolve() };
}

async function readOn(folder: string, kept: Kept): Promise<void> {
  kept.offsets = await eachScalar(
    folder,
    kept.offsets,
    ({ step, value, wallTime }) => {
      kept.begunAt ??= wallTime;
      if (Number.isFinite(value)) addLoss(kept, { step, value });
    },
    'loss/current',
  );
}
