import { constants } from 'node:fs';
import { copyFile, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { contract } from '../../bridge.js';
import { ifMissing, logged } from '../../caught.js';
import type { DatasetDetail } from '../../datasets/facts.js';
import { fingerprintDataset } from '../../datasets/fingerprint.js';
import { writeWhole } from '../../files/wholeFile.js';
import { launcherOf } from '../../launchers/launchers.js';
import { local } from '../../launchers/local.js';
import type { Secrets } from '../../security/secrets.js';
import type { Settings } from '../../settings.js';
import type { Room } from '../lineage/earlier.js';
import { recordProvenance } from '../provenance/record.js';
import { updateStateFile } from '../record/stateFile.js';
import { type AttemptEntry, editAttempt } from '../record/uiState.js';
import { wantsOf } from '../record/wants.js';
import type { Attempt } from './command.js';
import { enterAttempt } from './enter.js';
import { readEnvironment } from './environment.js';
import { madeOfNow } from './exactCheck.js';

/** An attempt that is recorded in its session's files. */
export type Recorded = Attempt & {
  entry: AttemptEntry;
  variables: Record<string, string>;
  /** What its runner moves before it starts the trainer. */
  moves: Room['moves'];
};

/** Writes the trainer's input files, and the attempt into the session's record. */
export async function recordAttempt(settings: Settings, attempt: Attempt): Promise<Recorded> {
  const { session, trainer, detail, begin, from, statePath, input, command } = attempt;
  const { folder } = session;
  const { argv, cwd } = command;
  const plainly = from?.differs.length ? { [contract.plainly]: from.differs.join('; ') } : {};
  const variables = { ...(await trainer.environment?.(input)), ...plainly };
  for (const file of trainer.files(input, command, variables)) {
    const path = join(folder, file.name);
    if (attempt.number === 1) await keepOthers(path);
    await writeWhole(path, file.content, file.executable ? 0o755 : 0o644);
  }
  const environment = {
    ...(await readEnvironment(argv[0] ?? settings.python)),
    ...(attempt.launcher === 'local' ? await gpuRecord(attempt.gpus) : {}),
    trainer_commit: trainer.script.commit ?? null,
  };
  const { number, stepOffset, gpus, flags, launcher } = attempt;
  const epochs = input.settings.max_train_epochs;
  const made_of = await madeOfNow(settings, detail, input.settings, trainer);
  const entering = { number, argv, cwd, from, statePath, stepOffset, epochs, gpus, launcher, made_of };
  const entry = await enterAttempt(session, begin, entering, (raw) => {
    raw.trainer = trainer.id;
    raw.max_train_epochs = epochs;
    if (begin.gpus !== undefined && begin.gpus !== null) raw.gpus = begin.gpus;
    raw.environment = { ...(raw.environment as object | undefined), ...environment };
    raw.resume_from_checkpoint = statePath ?? '';
    raw.dataset = { ...(raw.dataset as object | undefined), ...recordOf(detail), repeats: input.settings.num_repeats };
  });
  await recordProvenance(
    folder,
    { number, kind: begin.kind, id: entry.id },
    {
      trackside: settings.version,
      command: { argv, cwd },
      variables,
      seed: input.settings.seed,
      trainer,
      python: argv[0] ?? settings.python,
      environment,
      detail,
      repeats: input.settings.num_repeats,
      flags,
    },
  ).catch(logged('sessions', 'What the attempt is made from could not be recorded.', session.name));
  return { ...attempt, entry, variables, moves: launcher === 'local' ? [] : attempt.room.moves };
}

/** Keeps a file of another program, which the first attempt here would write over, beside it as `<name>.orig`. */
async function keepOthers(path: string): Promise<void> {
  const there = await lstat(path).catch(ifMissing(null));
  if (!there?.isFile()) return;
  await copyFile(path, `${path}.orig`, constants.COPYFILE_EXCL).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** A launch ends with a running trainer, with a reason why there is none, or with another attempt in the folder. */
export type Launched = 'started' | { failed: string } | { heldBy: string };

/** A recorded attempt, as far as its launch is concerned. */
export type Launchable = Pick<Recorded, 'session' | 'begin' | 'command' | 'entry' | 'variables' | 'moves'>;

/**
 * Starts the runner of a recorded attempt, or submits it as a job. Resolves when the trainer process runs, or is known not to
 * start; or when the cluster has it.
 */
export async function launchAttempt(
  { settings, secrets }: { settings: Settings; secrets: Pick<Secrets, 'environment'> },
  { session, begin, command, entry, variables, moves }: Launchable,
): Promise<Launched> {
  const { folder } = session;
  const { state } = session;
  const launched = await launcherOf(entry.job).submit({
    attempt: { id: entry.id, number: entry.number, kind: begin.kind },
    folder,
    ...command,
    environment: { ...process.env, ...secrets.environment(), ...variables },
    python: settings.python,
    moves,
    ...(entry.job && state ? { wants: wantsOf(state) } : {}),
  });
  if (launched.ok) {
    // On a full disk, the folder's own files still identify the attempt.
    await updateStateFile(folder, (raw) => {
      editAttempt(raw, entry.id, { job: launched.ref });
      delete raw.queue;
    }).catch(logged('sessions', 'The attempt’s job could not be recorded.', session.name));
    return 'started';
  }
  if (launched.code === 'held') {
    await updateStateFile(folder, (raw) => {
      raw.attempts = (raw.attempts as AttemptEntry[]).filter((each) => each.id !== entry.id);
    });
    return { heldBy: launched.message };
  }
  const ended_at = new Date().toISOString();
  await updateStateFile(folder, (raw) => {
    const end = { outcome: 'failed', reason: launched.message, reason_code: 'not_started', ended_at } as const;
    // Of a job that was not taken the cluster has nothing more to say.
    editAttempt(raw, entry.id, { ...end, job_end: entry.job ? 'never started' : null });
    delete raw.queue;
  });
  return { failed: launched.message };
}

/** The pictures of the attempt, for the record and for the next attempt to compare with. */
function recordOf(detail: DatasetDetail) {
  const { path, images, captions } = detail;
  return { path, images, captions, fingerprint: fingerprintDataset(detail) };
}

/** The GPUs of the attempt, for the record; asks nothing when it uses none. */
async function gpuRecord(indices: readonly number[]): Promise<{ gpu: string | null; driver: string | null }> {
  const found = indices.length > 0 ? (await local.offers()).gpus.filter(({ index }) => indices.includes(index)) : [];
  return { gpu: found.map(({ name }) => name).join(', ') || null, driver: found[0]?.driver ?? null };
}
