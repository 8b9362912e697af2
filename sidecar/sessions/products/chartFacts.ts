/** What the x axis counts: optimizer steps, epochs, seconds since the first value, or those without the time between attempts. */
export type ChartAxis = 'step' | 'epoch' | 'wall' | 'process';

/** Columns of points; `y` is null where a value is no number. */
export type ChartLine = { x: number[]; y: (number | null)[] };

/** One curve, as much of it as is seen. Minima and maxima stay however many points there are. */
export type ChartCurve = {
  tag: string;
  /** Of the whole curve, the part that a later attempt trained again left out. */
  count: number;
  raw: ChartLine;
  /** The mean that TensorBoard shows, from all points before. */
  smooth: ChartLine;
  /** Parts that a later attempt trained again. */
  lost: ChartLine[];
  /** Where values are no numbers (some of many), and their number in what is seen. */
  odd: number[];
  oddCount: number;
  /** Far above the others. */
  spikes: { x: number; y: number }[];
  /** The least smoothed value of the whole curve: where a loss is best. */
  best: { x: number; step: number; y: number } | null;
  /** 5th and 95th percentile of what is seen, and how many points lie outside. */
  clip: { low: number; high: number; outside: number } | null;
  /** The state of the mean behind the last point, to go on from. */
  mean: { sum: number; count: number };
};

/** A curve with what a page says of its picture, and of all of it. */
export type ToldCurve = ChartCurve & { notes: string; told: string };

export type ChartMark = { x: number; kind: 'attempt' | 'checkpoint' | 'sample' | 'alert'; label: string };

export type Charts = {
  curves: ChartCurve[];
  /** From the first to the last point, and to the end of the plan where the axis knows it. */
  range: { from: number; to: number; plan: number | null };
  marks: ChartMark[];
  /** How new points of the last attempt find their x. */
  axis: { stepsPerEpoch: number | null; begun: number; attemptBegun: number; before: number };
};

/** Points that were written since, as [step, value, time] of the whole training; or that all has to be read anew. */
export type ChartPiece = { position: string; points: Record<string, [number, number | null, number][]>; anew?: true };
