import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../../files/wholeFile.js';
import { beginProgress, PROGRESS_FILE, type Progress, readProgress } from '../../telemetry/progress.js';

/**
 * Writes down how far a training by hand has come, for the time after its end: its log may lie elsewhere. A progress file of
 * an attempt of ours, or of another program, is left as it is.
 */
export async function keepHandProgress(folder: string, progress: Progress): Promise<void> {
  if (progress.step === null) return;
  const before = await readProgress(folder);
  if (before ? before.attempt !== null : existsSync(join(folder, PROGRESS_FILE))) return;
  const { step, epoch, epochs, percent } = progress;
  if (before?.step === step && before.epoch === epoch && before.percent === percent) return;
  const begun = beginProgress({ id: '', step, stepOffset: 0, epoch: 0, epochs, before: null, now: new Date() });
  const kept = { ...begun, ...progress, phase: 'ended', eta_seconds: null, eta_guessed: false, attempt: null };
  await writeWhole(join(folder, PROGRESS_FILE), `${JSON.stringify(kept, null, 1)}\n`);
}
