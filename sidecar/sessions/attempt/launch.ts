import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetDetail } from '../../datasets/facts.js';
import { fingerprintDataset } from '../../datasets/fingerprint.js';
import { writeWhole } from '../../files/wholeFile.js';
import { local } from '../../launchers/local.js';
import { LOG_FILE } from '../../telemetry/follow.js';
import { beginProgress, PROGRESS_FILE } from '../../telemetry/progress.js';
import { moveEarlier } from '../lineage/earlier.js';
import { updateStateFile } from '../record/stateFile.js';
import { type AttemptEntry, editAttempt, newAttempt } from '../record/uiState.js';
import { finalSignature } from '../status/settle.js';
import { attemptCommand, refuseForeign } from './command.js';
import { readEnvironment } from './environment.js';
import type { Context, Plan } from './plan.js';

/**
 * Moves away what would be overwritten, writes the session's files, records the attempt and starts its runner. Resolves
 * when the trainer process runs, or when it is known that it can't, which its record then says.
 */
export async function launchAttempt(context: Context & { plan: Plan }): Promise<'started' | { heldBy: string }> {
  const { settings, session, trainer, detail, begin, plan, state } = context;
  const { folder } = session;
  await refuseForeign(context);
  const number = Math.max(0, ...state.attempts.map((each) => each.number)) + 1;
  const { dialect, outputName } = session;
  const firstEpoch = plan.from ? (plan.from.firstEpoch ?? 1) : null;
  const move = await moveEarlier(folder, number - 1, (entry) => dialect.overwrites(entry, outputName, firstEpoch));
  const statePath = plan.from && move(plan.from.absolutePath);
  const { input, command } = attemptCommand(context, statePath);
  const { argv, cwd } = command;
  const variables = (await trainer.environment?.(input)) ?? {};
  for (const file of trainer.files(input, command, variables)) {
    await writeWhole(join(folder, file.name), file.content, file.executable ? 0o755 : 0o644);
  }
  const environment = {
    ...(await readEnvironment(argv[0] ?? settings.python)),
    ...(await gpuRecord(context.gpus)),
    trainer_commit: trainer.script.commit ?? null,
  };
  const now = new Date();
  const entry = newAttempt({
    number,
    kind: begin.kind,
    id: randomUUID(),
    started_at: now.toISOString(),
    argv,
    cwd,
    resumed_from: statePath,
    first_epoch: plan.from?.firstEpoch ?? 1,
    step_offset: plan.firstStep,
    log_start: (await stat(join(folder, LOG_FILE)).catch(() => null))?.size ?? 0,
    final_before: finalSignature(folder, dialect, outputName),
    automatic: Boolean(begin.automaticAfter),
    gpus: [...context.gpus],
    begun_step: plan.from?.step ?? 0,
  });
  const progress = beginProgress({
    id: entry.id,
    step: plan.from?.step ?? 0,
    epoch: plan.from?.epoch ?? 0,
    epochs: plan.epochs,
    before: session.progress,
    now,
  });
  await updateStateFile(folder, (raw) => {
    raw.attempts = [...((raw.attempts as unknown[] | undefined) ?? []), entry];
    raw.status = 'starting';
    raw.max_train_epochs = plan.epochs;
    if (begin.gpus !== undefined && begin.gpus !== null) raw.gpus = begin.gpus;
    raw.environment = { ...(raw.environment as object | undefined), ...environment };
    raw.resume_from_checkpoint = statePath ?? '';
    raw.dataset = { ...(raw.dataset as object | undefined), ...recordOf(detail), repeats: input.settings.num_repeats };
    delete raw.error;
    delete raw.completed_at;
    if (begin.kind !== 'resume' || raw.timestamp === undefined) raw.timestamp = now.getTime() / 1000;
  });
  await writeWhole(join(folder, PROGRESS_FILE), `${JSON.stringify(progress, null, 1)}\n`);
  const launched = await local.submit({
    attempt: { id: entry.id, number, kind: begin.kind },
    folder,
    cwd,
    argv,
    environment: { ...process.env, ...context.secrets.environment(), ...variables },
    python: settings.python,
  });
  if (launched.ok) {
    // Where the disk takes it no more, the folder still tells whose attempt it is.
    await updateStateFile(folder, (raw) => editAttempt(raw, entry.id, { job: launched.ref })).catch(() => {});
    return 'started';
  }
  if (launched.code === 'held') {
    await updateStateFile(folder, (raw) => {
      raw.attempts = (raw.attempts as AttemptEntry[]).filter((each) => each.id !== entry.id);
    });
    return { heldBy: launched.message };
  }
  const ended_at = new Date().toISOString();
  await updateStateFile(folder, (raw) =>
    editAttempt(raw, entry.id, { outcome: 'failed', reason: launched.message, ended_at }),
  );
  return 'started';
}

/** The pictures that it is trained on, for the record and for the next attempt to compare with. */
function recordOf(detail: DatasetDetail) {
  const { path, images, captions } = detail;
  return { path, images, captions, fingerprint: fingerprintDataset(detail) };
}

/** What it runs on, for the record; nothing is asked where it uses no GPU. */
async function gpuRecord(indices: readonly number[]): Promise<{ gpu: string | null; driver: string | null }> {
  const found = indices.length > 0 ? (await local.offers()).gpus.filter(({ index }) => indices.includes(index)) : [];
  return { gpu: found.map(({ name }) => name).join(', ') || null, driver: found[0]?.driver ?? null };
}
