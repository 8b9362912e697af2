/** The values of one curve in the order of writing. Only the first `length` are meant. */
export type Series = {
  /** In the trainer's own count. */
  steps: Float64Array;
  /** May hold NaN and infinities. */
  values: Float64Array;
  /** Seconds since 1970. */
  times: Float64Array;
  length: number;
};

/** All curves of one start of a training. */
export type RunSeries = {
  /** The time of its first value; null without one. */
  begunAt: number | null;
  curves: ReadonlyMap<string, Series>;
  /** What its script called attention to: absolute steps, seconds since 1970. */
  alerts?: readonly Alert[];
};

export type Alert = { step: number | null; time: number; title: string };

export function newSeries(): Series {
  const [steps, values, times] = [new Float64Array(64), new Float64Array(64), new Float64Array(64)];
  return { steps, values, times, length: 0 };
}

export function addPoint(series: Series, step: number, value: number, time: number): void {
  const at = series.length;
  if (at === series.steps.length) {
    for (const name of ['steps', 'values', 'times'] as const) {
      const grown = new Float64Array(at * 2);
      grown.set(series[name]);
      series[name] = grown;
    }
  }
  series.steps[at] = step;
  series.values[at] = value;
  series.times[at] = time;
  series.length = at + 1;
}
