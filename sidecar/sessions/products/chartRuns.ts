import type { RunSeries } from '../../trainers/series.js';
import { unknownWriter, writerByTime } from '../lineage/writer.js';
import { stepsAdded } from '../record/uiState.js';
import type { Session } from '../status/session.js';

/** A start of the training, and where it stands in the whole. */
export type Run = {
  series: RunSeries;
  begun: number;
  attempt: number;
  /** The step that it began after, and what to add to its own steps. */
  offset: number;
  added: number;
  /** The steps and epochs behind these were trained again later. */
  lastStep: number;
  lastEpoch: number;
  /** Seconds of the starts before it. */
  before: number;
};

/** The starts with values, oldest first. */
export async function runsOf({ folder, dialect, state }: Session): Promise<Run[]> {
  const found = (await dialect.metrics.series(folder)).filter(({ begunAt }) => begunAt !== null);
  const runs: Run[] = found.map((series) => {
    const begun = series.begunAt ?? 0;
    const writer = writerByTime(state?.attempts ?? [], begun * 1000) ?? unknownWriter(firstStepOf(series));
    const { number: attempt, step_offset: offset, first_epoch: firstEpoch } = writer;
    const [lastStep, lastEpoch] = [Number.POSITIVE_INFINITY, firstEpoch - 1];
    return { series, begun, attempt, offset, added: stepsAdded(writer), lastStep, lastEpoch, before: 0 };
  });
  let before = 0;
  for (const run of runs) {
    run.before = before;
    before += Math.max(0, endOf(run) - run.begun);
  }
  let [step, epoch] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const [index, run] of [...runs.entries()].reverse()) {
    const beforeIt = run.lastEpoch;
    const next = runs[index + 1];
    // Folders that were written at the same time are one start.
    const isSameStart = next?.attempt === run.attempt && next.begun <= endOf(run);
    Object.assign(run, isSameStart ? lastOf(next) : { lastStep: step, lastEpoch: epoch });
    step = Math.min(step, run.offset);
    epoch = Math.min(epoch, beforeIt);
  }
  return runs;
}

function lastOf({ lastStep, lastEpoch }: Run): Pick<Run, 'lastStep' | 'lastEpoch'> {
  return { lastStep, lastEpoch };
}

function firstStepOf({ curves }: RunSeries): number {
  const firsts = [...curves.values()].map(({ steps, length }) =>
    length > 0 ? (steps[0] ?? 0) : Number.POSITIVE_INFINITY,
  );
  return Math.min(...firsts);
}

function endOf({ series, begun }: Run): number {
  return Math.max(begun, ...[...series.curves.values()].map(({ times, length }) => times[length - 1] ?? 0));
}
