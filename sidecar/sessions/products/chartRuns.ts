import type { RunSeries } from '../../trainers/series.js';
import { writerByTime } from '../lineage/writer.js';
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
    const writer = writerByTime(state?.attempts ?? [], begun * 1000);
    const [offset, firstEpoch] = [writer?.step_offset ?? 0, writer?.first_epoch ?? 1];
    const added = writer ? stepsAdded(writer) : 0;
    const [lastStep, lastEpoch] = [Number.POSITIVE_INFINITY, firstEpoch - 1];
    return { series, begun, attempt: writer?.number ?? 1, offset, added, lastStep, lastEpoch, before: 0 };
  });
  let before = 0;
  for (const run of runs) {
    run.before = before;
    before += Math.max(0, endOf(run) - run.begun);
  }
  let [step, epoch] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const run of [...runs].reverse()) {
    const beforeIt = run.lastEpoch;
    Object.assign(run, { lastStep: step, lastEpoch: epoch });
    step = Math.min(step, run.offset);
    epoch = Math.min(epoch, beforeIt);
  }
  return runs;
}

function endOf({ series, begun }: Run): number {
  return Math.max(begun, ...[...series.curves.values()].map(({ times, length }) => times[length - 1] ?? 0));
}
