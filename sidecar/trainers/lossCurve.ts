/** The losses of some neighbouring steps: their number, sum, least and greatest. */
export type LossGroup = { count: number; sum: number; least: Loss; greatest: Loss };
export type Loss = { step: number; value: number };

/** A curve that grows. */
export type ThinnedCurve = {
  /** The time of the first loss, in seconds since 1970; null without one. */
  begunAt: number | null;
  first: Loss | null;
  last: Loss | null;
  /** In the order of writing; steps in the trainer's own count. */
  groups: LossGroup[];
  /** Steps in each group but the last. */
  size: number;
};

export type LossCurve = Readonly<Omit<ThinnedCurve, 'size'>>;

/** Beyond this number, groups are joined in pairs. */
const MOST_GROUPS = 512;

export function newCurve(): ThinnedCurve {
  return { begunAt: null, first: null, last: null, groups: [], size: 1 };
}

/** Adds the loss of one more step: minima and maxima stay. */
export function addLoss(kept: ThinnedCurve, loss: Loss): void {
  kept.first ??= loss;
  kept.last = loss;
  const one = { count: 1, sum: loss.value, least: loss, greatest: loss };
  const last = kept.groups.at(-1);
  if (last && last.count < kept.size) {
    kept.groups[kept.groups.length - 1] = joined(last, one);
    return;
  }
  if (kept.groups.length === MOST_GROUPS) {
    kept.groups = joinNeighbours(kept.groups, 2);
    kept.size *= 2;
  }
  kept.groups.push(one);
}

/** The same losses in groups of `size` groups. */
export function joinNeighbours(groups: readonly LossGroup[], size: number): LossGroup[] {
  const result: LossGroup[] = [];
  for (let at = 0; at < groups.length; at += size) {
    result.push(groups.slice(at, at + size).reduce(joined));
  }
  return result;
}

function joined(a: LossGroup, b: LossGroup): LossGroup {
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    least: b.least.value < a.least.value ? b.least : a.least,
    greatest: b.greatest.value > a.greatest.value ? b.greatest : a.greatest,
  };
}
