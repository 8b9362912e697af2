import type { PassedOver, ResumeFacts } from '../savedFacts.js';
import type { Candidate } from './candidates.js';

/**
 * The state that the Resume button would use: the newest complete one that leaves something to train, and of those that
 * begin at the same epoch the one that ends where it begins: the steps of a begun epoch would be trained twice. Without
 * one, the newest with doubtful times (`Candidate.doubtful`), or null. `trainedSteps`, the steps of the run so far, tell
 * what is lost.
 */
export function chooseResume(
  candidates: readonly Candidate[],
  epochs: number | null,
  trainedSteps: number | null,
): { facts: ResumeFacts; candidate: Candidate } | null {
  for (const doubtful of [false, true]) {
    const usable = candidates.filter((each) => whyNot(each, epochs, doubtful) === null);
    const [candidate] = usable.toSorted(beginsLatest);
    if (!candidate) continue;
    const newer = candidates.slice(0, candidates.indexOf(candidate));
    const passed = newer.map((each) => ({
      state: each.name,
      path: each.path,
      reason: whyNot(each, epochs, doubtful) ?? inTheMiddle(each),
    }));
    const facts = resumeFacts(candidate, trainedSteps, passed);
    // An older state that ends where the epoch begins is as good, and was saved before.
    const newest = [...newer, candidate].find((each) => each.differs.length > 0);
    return { candidate, facts: newest && !candidate.exact ? { ...facts, differs: newest.differs } : facts };
  }
  return null;
}

/**
 * By the step that they go on with, the latest first: of an exact one it lies within an epoch. Of those that begin at the
 * same step, exact ones, and then a state that ends there before those from the middle of the epoch, the fewest steps first.
 */
function beginsLatest(a: Candidate, b: Candidate): number {
  const later = (b.firstEpoch ?? 0) - (a.firstEpoch ?? 0) || b.intoEpoch - a.intoEpoch;
  return later || Number(b.exact) - Number(a.exact) || a.repeatedSteps - b.repeatedSteps;
}

function inTheMiddle({ firstEpoch }: Candidate): string {
  return `it ends in the middle of epoch ${firstEpoch}, which is trained from its beginning in any case`;
}

export function resumeFacts(chosen: Candidate, trainedSteps: number | null, passedOver: PassedOver[]): ResumeFacts {
  const step = chosen.step ?? 0;
  return {
    state: chosen.name,
    path: chosen.path,
    epoch: chosen.epoch ?? 0,
    step,
    first_epoch: chosen.firstEpoch ?? 1,
    lost_steps: trainedSteps === null ? null : Math.max(0, trainedSteps - step),
    repeated_steps: chosen.repeatedSteps,
    exact: chosen.exact,
    differs: chosen.differs,
    passed_over: passedOver,
    doubt: chosen.complete ? null : chosen.reason,
  };
}

/** Why a state can't be resumed from, in words; null when it can be. `doubtful`: accept one with doubtful times. */
export function whyNot(each: Candidate, epochs: number | null, doubtful: boolean): string | null {
  if (!each.complete && !(doubtful && each.doubtful)) return each.reason ?? 'it is incomplete';
  if (each.firstEpoch === null) return 'the number of steps per epoch is unknown';
  if (epochs !== null && each.firstEpoch > epochs) return `it already contains all ${epochs} epochs`;
  return null;
}
