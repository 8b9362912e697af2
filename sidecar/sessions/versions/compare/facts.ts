import type { SessionFacts } from '../../facts.js';
import type { ChartCurve, Charts } from '../../products/chartFacts.js';
import type { SampleFacts } from '../../savedFacts.js';

/** A session in a comparison. */
export type ComparedSession = Pick<
  SessionFacts,
  'name' | 'lora_name' | 'version' | 'version_name' | 'trainer' | 'status' | 'description' | 'timestamp'
> & {
  /** Of all attempts, without the time in between; null where nothing ran. */
  duration_seconds: number | null;
  step: number | null;
  epoch: number | null;
  /** Of its newest whole checkpoint, and of all files of weights together. */
  checkpoint_bytes: number | null;
  weights_bytes: number;
  /** Of its attempts the most memory that a GPU had in use, in bytes; null where no GPU told. */
  peak_gpu_memory: number | null;
  /** At the price that was given, else at the pod's; null where neither is known, or nothing ran. */
  cost: number | null;
  /** Smoothed as the curves are; `best` is the least of the whole curve. Null without losses. */
  loss: { tag: string; last: number | null; best: number | null; best_step: number | null } | null;
  /** Which of the eight colours of other curves is its own; null for the baseline. */
  colour: number | null;
};

/** One setting of all sessions: values in their order, null where a record does not have it. */
export type ComparedSetting = { name: string; values: unknown[]; differs: boolean };

/** The pictures of one prompt and seed: of each session the one that was asked for, in their order. */
export type ComparedSamples = {
  prompt: string;
  seed: string | null;
  pictures: (Pick<SampleFacts, 'name' | 'step' | 'epoch'> | null)[];
};

/** Sessions side by side; the curves are those of `leads`, with those of `others` beside them. */
export type Comparison = {
  /** Null where nothing is compared. */
  baseline: string | null;
  sessions: ComparedSession[];
  /** Names that were asked for, and are no sessions any more. */
  missing: string[];
  /** Those that differ from the baseline first. */
  settings: ComparedSetting[];
  samples: ComparedSamples[];
  /** The steps of all samples, ascending. */
  sample_steps: number[];
  /** The baseline, or the first one with curves where it has none. */
  leads: string | null;
  others: {
    name: string;
    lora: string;
    version: number;
    version_name: string | null;
    colour: number;
    curves: ChartCurve[];
  }[];
} & Charts;
