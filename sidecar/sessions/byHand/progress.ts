import { ifUnreadable } from '../../caught.js';
import { readOutputOf } from '../../telemetry/outputOf.js';
import { NO_PROGRESS, type Progress } from '../../telemetry/progress.js';
import type { CheckpointOnDisk } from '../../trainers/dialect.js';
import { defaultDialect } from '../../trainers/dialects.js';
import type { HandRun } from './runs.js';

/** The progress of a training by hand: from its output in a file, or its newest checkpoint. All null when unknown. */
export async function readHandProgress(run: HandRun): Promise<Progress> {
  const trainer = run.processes.find(({ as }) => !as.launcher) ?? run.processes[0];
  const printed = trainer && (await readOutputOf(trainer.as, defaultDialect.console, trainer.pid, trainer.as.since));
  return printed ?? (await savedProgress(run));
}

async function savedProgress({ outputDir, outputName, since }: HandRun): Promise<Progress> {
  if (!outputName) return { ...NO_PROGRESS };
  const checkpoints = await defaultDialect.checkpoints(outputDir, outputName).catch(ifUnreadable([], 'sessions'));
  const newest = checkpoints.find(({ whole, savedAtMs }) => whole && savedAtMs >= Date.parse(since));
  return newest ? progressOf(newest) : { ...NO_PROGRESS };
}

function progressOf({ kind, savedAtMs, epoch, epochs, steps, stepsPerEpoch }: CheckpointOnDisk): Progress {
  const total = stepsPerEpoch !== null && epochs !== null ? stepsPerEpoch * epochs : null;
  // Steps in the file count from the last resume; epochs count from the beginning.
  const step = kind === 'step' ? steps : stepsPerEpoch !== null && epoch !== null ? stepsPerEpoch * epoch : null;
  const percent = step !== null && total ? Math.min(100, Math.round((1000 * step) / total) / 10) : null;
  const updated_at = new Date(savedAtMs).toISOString();
  return { ...NO_PROGRESS, phase: 'training', step, total_steps: total, epoch, epochs, percent, updated_at };
}
