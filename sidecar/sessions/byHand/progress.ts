import { readOutputOf } from '../../telemetry/outputOf.js';
import { NO_PROGRESS, type Progress } from '../../telemetry/progress.js';
import { type CheckpointOnDisk, readCheckpoints } from '../../trainers/sdOutput/checkpoints.js';
import type { HandRun } from './runs.js';

/**
 * How far a training by hand is: from what it prints, where that goes to a file; else from the newest checkpoint that it
 * has saved. All null where neither tells.
 */
export async function readHandProgress(run: HandRun): Promise<Progress> {
  const trainer = run.processes.find(({ as }) => !as.launcher) ?? run.processes[0];
  const printed = trainer && (await readOutputOf(trainer.as, trainer.pid, trainer.as.since));
  return printed ?? (await savedProgress(run));
}

async function savedProgress({ outputDir, outputName, since }: HandRun): Promise<Progress> {
  if (!outputName) return { ...NO_PROGRESS };
  const checkpoints = await readCheckpoints(outputDir, outputName).catch(() => []);
  const newest = checkpoints.find(({ whole, savedAtMs }) => whole && savedAtMs >= Date.parse(since));
  return newest ? progressOf(newest) : { ...NO_PROGRESS };
}

function progressOf({ kind, number, savedAtMs, metadata }: CheckpointOnDisk): Progress {
  const {
    ss_num_epochs: epochs,
    ss_num_batches_per_epoch: batches,
    ss_gradient_accumulation_steps: accumulated,
  } = metadata;
  const epoch = kind === 'epoch' ? number : kind === 'final' ? epochs : metadata.ss_epoch;
  const perEpoch = batches === null ? null : Math.ceil(batches / (accumulated ?? 1));
  const total = perEpoch !== null && epochs !== null ? perEpoch * epochs : null;
  // Steps in the file count from the last resume; whole epochs do not.
  const step = kind === 'step' ? metadata.ss_steps : perEpoch !== null && epoch !== null ? perEpoch * epoch : null;
  const percent = step !== null && total ? Math.min(100, Math.round((1000 * step) / total) / 10) : null;
  const updated_at = new Date(savedAtMs).toISOString();
  return { ...NO_PROGRESS, phase: 'training', step, total_steps: total, epoch, epochs, percent, updated_at };
}
