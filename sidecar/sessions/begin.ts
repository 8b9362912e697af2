import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { checkDataset } from '../datasets/check.js';
import { fingerprintDataset } from '../datasets/fingerprint.js';
import { readDataset } from '../datasets/read.js';
import { Problem } from '../problem.js';
import { readEnvironment } from '../processes/environment.js';
import { launchRunner } from '../processes/launch.js';
import type { Settings } from '../settings.js';
import { LOG_FILE } from '../telemetry/follow.js';
import { beginProgress, PROGRESS_FILE } from '../telemetry/progress.js';
import { findTrainer } from '../trainers/catalogue.js';
import type { SavedAt } from '../trainers/fileNames.js';
import type { Command, Trainer, TrainingInput } from '../trainers/trainer.js';
import { readTrainingSettings } from '../trainers/trainingSettings.js';
import { writeWhole } from '../wholeFile.js';
import { runsByHand } from './byHand.js';
import { moveEarlier } from './earlier.js';
import type { AttemptKind } from './facts.js';
import type { Outputs } from './outputs.js';
import { editAttempt } from './outputs.js';
import { requirePackage } from './requirePackage.js';
import { type Candidate, chooseResume, damageOf, whyNot } from './resume.js';
import { resumeArgv } from './resumeArgv.js';
import type { Session } from './session.js';
import { finalSignature } from './settle.js';
import { updateStateFile, withSessionLock } from './stateFile.js';
import type { AttemptEntry, UiState } from './uiState.js';

export type Begin = {
  kind: AttemptKind;
  /** A state folder to resume from, by the path that the session's facts give; without it the newest complete one. */
  state?: string | null;
  /** Train further than the session was made for: the number of epochs in all. */
  maxTrainEpochs?: number | null;
  /** Trackside's own doing, as the successor of this attempt and of no other. */
  automaticAfter?: string | null;
};

/** What all attempts begin from: where the training goes on, and what it was given. */
type Plan = {
  from: Candidate | null;
  epochs: number;
  command: Command;
};

/**
 * Starts an attempt of a session: a first start, a resume from a state folder, or a relaunch from the beginning. What
 * the trainer would overwrite is moved to `earlier/` first. Resolves when the trainer process runs (or when it is
 * known that it can't); the attempt's end is found out later. Throws a Problem: 409 where one is alive already (with
 * its address), 422 where something is missing, in words. Whatever is thrown, nothing was lost.
 */
export async function beginAttempt(
  deps: { settings: Settings; outputs: Outputs },
  name: string,
  begin: Begin,
): Promise<Session> {
  const path = join(deps.outputs.root, name);
  // A hundred clicks are answered at once, not one after the other.
  if (beginning.has(path)) throw alreadyRunning(name, 'It is being started at this moment.');
  beginning.add(path);
  try {
    return await beginAlone(deps, name, begin);
  } finally {
    beginning.delete(path);
  }
}

const beginning = new Set<string>();

async function beginAlone(
  deps: { settings: Settings; outputs: Outputs },
  name: string,
  begin: Begin,
): Promise<Session> {
  const { outputs, settings } = deps;
  // Somebody may have started one in a terminal this very moment.
  runsByHand(true);
  const before = await outputs.read(name);
  refuseIfAlive(before);
  await withSessionLock(before.folder, async () => {
    const session = await outputs.read(name);
    refuseIfAlive(session);
    if (begin.automaticAfter) refuseUnlessDue(session, begin.automaticAfter);
    const { state } = session;
    if (!state) throw notOurs(session);
    const trainer = findTrainer(settings, state.trainer ?? 'practice');
    const datasetPath = await requireDataset(settings, session, state, trainer);
    const plan = await makePlan({ settings, session, state, trainer, datasetPath, begin });
    await launch({ settings, session, state, trainer, datasetPath, begin, plan });
  }).finally(() => outputs.refresh(name));
  return outputs.read(name);
}

type Context = {
  settings: Settings;
  session: Session;
  state: UiState;
  trainer: Trainer;
  datasetPath: string;
  begin: Begin;
};

async function makePlan(context: Context): Promise<Plan> {
  const { session, state, begin } = context;
  const asked = begin.maxTrainEpochs ?? null;
  const epochs = asked ?? state.max_train_epochs ?? 1;
  if (asked !== null && asked < (session.progress?.epoch ?? 0)) {
    const field = { field: 'max_train_epochs' };
    throw new Problem(
      'too_few_epochs',
      422,
      `It has trained ${session.progress?.epoch} epochs already; ask for more than that.`,
      field,
    );
  }
  if (begin.kind !== 'resume') {
    if (begin.kind === 'start' && session.candidates.length + checkpointCount(session) > 0) {
      throw new Problem(
        'has_checkpoints',
        409,
        'This session has checkpoints already. Resume it, or relaunch it from the beginning: what is there is then kept in earlier/.',
        { link: `sessions/${encodeURIComponent(session.name)}` },
      );
    }
    return { from: null, epochs, command: context.trainer.command(inputOf(context, epochs, null)) };
  }
  if (session.facts.status === 'completed' && !begin.state && epochs <= (state.max_train_epochs ?? 0)) {
    throw new Problem('completed', 422, `All ${epochs} epochs are trained. Ask for more epochs to train it further.`, {
      field: 'max_train_epochs',
      link: `sessions/${encodeURIComponent(session.name)}`,
    });
  }
  const from = await chooseState(session, begin.state ?? null, epochs);
  const fresh = context.trainer.command(
    inputOf(context, epochs, { statePath: from.absolutePath, firstEpoch: from.firstEpoch ?? 1 }),
  );
  return { from, epochs, command: fresh };
}

async function chooseState(session: Session, asked: string | null, epochs: number): Promise<Candidate> {
  const link = { link: `sessions/${encodeURIComponent(session.name)}` };
  if (asked) {
    const found = session.candidates.find((each) => each.path === asked || each.name === asked);
    if (!found) throw new Problem('no_state', 422, `There is no state folder ${asked} in this session.`, link);
    const reason = whyNot(found, epochs) ?? (await damageOf(found));
    if (reason)
      throw new Problem(
        'bad_state',
        422,
        `${found.name} can't be resumed from: ${reason}. Nothing was changed; choose another.`,
        link,
      );
    return found;
  }
  const candidates = [...session.candidates];
  for (;;) {
    const chosen = chooseResume(candidates, epochs, null)?.candidate;
    if (!chosen) break;
    const reason = await damageOf(chosen);
    if (reason === null) return chosen;
    candidates[candidates.indexOf(chosen)] = { ...chosen, complete: false, reason };
  }
  const why = candidates.map((each) => `${each.name}: ${whyNot(each, epochs)}`).join('; ');
  throw new Problem(
    'nothing_to_resume',
    422,
    why
      ? `No state folder can be resumed from (${why}). Ask for more epochs, or start over: what is there is kept in earlier/.`
      : 'No state folder was saved, so there is nothing to resume from. Start over: what is there is kept in earlier/.',
    link,
  );
}

async function launch(context: Context & { plan: Plan }): Promise<void> {
  const { settings, session, trainer, datasetPath, begin, plan, state } = context;
  const { folder } = session;
  const number = Math.max(0, ...state.attempts.map((each) => each.number)) + 1;
  const move = await moveEarlier(
    folder,
    session.outputName,
    number - 1,
    overwritten(plan.from),
    plan.from ? [] : ['sample', 'logs'],
  );
  const statePath = plan.from && move(plan.from.absolutePath);
  const resume = statePath && plan.from ? { statePath, firstEpoch: plan.from.firstEpoch ?? 1 } : null;
  const input = inputOf(context, plan.epochs, resume);
  const fresh = trainer.command(input);
  const first = state.attempts.findLast((each) => each.kind !== 'resume');
  // Network, optimizer and learning rate can't change on a resume: what was given at the start is given again.
  const argv = resume && first ? resumeArgv(first.argv, fresh.argv, { ...resume, epochs: plan.epochs }) : fresh.argv;
  for (const file of trainer.files({ ...input, datasetPath }, { argv, cwd: fresh.cwd })) {
    await writeWhole(join(folder, file.name), file.content, file.executable ? 0o755 : 0o644);
  }
  const environment = await readEnvironment(settings.python);
  const now = new Date();
  const entry: AttemptEntry = {
    number,
    kind: begin.kind,
    id: randomUUID(),
    started_at: now.toISOString(),
    ended_at: null,
    argv,
    cwd: fresh.cwd,
    resumed_from: statePath,
    first_epoch: plan.from?.firstEpoch ?? 1,
    step_offset: plan.from?.stepOffset ?? 0,
    log_start: (await stat(join(folder, LOG_FILE)).catch(() => null))?.size ?? 0,
    log_end: null,
    exit_code: null,
    signal: null,
    reason: null,
    outcome: null,
    stop_requested_at: null,
    stop_when: null,
    final_before: finalSignature(folder, session.outputName),
    automatic: Boolean(begin.automaticAfter),
    begun_step: plan.from?.step ?? 0,
    no_retry: null,
    stalled: null,
  };
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
    raw.environment = { ...(raw.environment as object | undefined), ...environment };
    raw.resume_from_checkpoint = statePath ?? '';
    if (state.dataset) raw.dataset = { ...(raw.dataset as object), path: datasetPath };
    delete raw.error;
    delete raw.completed_at;
    if (begin.kind !== 'resume' || raw.timestamp === undefined) raw.timestamp = now.getTime() / 1000;
  });
  await writeWhole(join(folder, PROGRESS_FILE), `${JSON.stringify(progress, null, 1)}\n`);
  const launched = await launchRunner({
    python: settings.python,
    bridge: settings.bridge,
    outputFolder: folder,
    attemptId: entry.id,
    number,
    kind: begin.kind,
    cwd: fresh.cwd,
    argv,
    environment: process.env,
  });
  if (launched.ok) return;
  if (launched.code === 'held') {
    await updateStateFile(folder, (raw) => {
      raw.attempts = (raw.attempts as AttemptEntry[]).filter((each) => each.id !== entry.id);
    });
    throw alreadyRunning(session.name, launched.message);
  }
  const ended_at = new Date().toISOString();
  await updateStateFile(folder, (raw) =>
    editAttempt(raw, entry.id, { outcome: 'failed', reason: launched.message, ended_at }),
  );
}

/** Which files of an earlier attempt the new one would write again. Step files always: their count begins anew. */
function overwritten(from: Candidate | null): (file: SavedAt) => boolean {
  if (!from) return () => true;
  return (file) => file.kind !== 'epoch' || file.number >= (from.firstEpoch ?? 1);
}

function inputOf(context: Context, epochs: number, resume: TrainingInput['resume']): TrainingInput {
  const { settings, session, state, trainer, datasetPath } = context;
  return {
    settings: { ...readTrainingSettings(trainer.settings, state), max_train_epochs: epochs },
    arguments: state.arguments,
    datasetPath,
    outputPath: session.folder,
    outputName: session.outputName,
    resume,
    python: settings.python,
  };
}

/** The folder of the session's pictures, checked: nothing is started that would fail for them. */
async function requireDataset(settings: Settings, session: Session, state: UiState, trainer: Trainer): Promise<string> {
  const link = { link: `new?from=${encodeURIComponent(session.name)}`, field: 'dataset' };
  const path = state.dataset?.path ?? join(settings.datasets, session.name);
  const isHere = path.startsWith(`${settings.datasets}/`);
  const name = isHere ? path.slice(settings.datasets.length + 1) : basename(path);
  const detail = await readDataset(settings.datasets, name).catch((error: unknown) => {
    if (error instanceof Problem && error.status === 404) {
      throw new Problem(
        'no_dataset',
        422,
        `The dataset ${path} is not there. Choose a dataset for it; its settings are kept.`,
        link,
      );
    }
    throw error;
  });
  // The datasets were moved with the pod: pictures of this name, with the same content, are the same.
  if (!isHere && fingerprintDataset(detail) !== state.dataset?.fingerprint) {
    throw new Problem(
      'no_dataset',
      422,
      `The dataset ${path} is not one of the datasets folder ${settings.datasets}, and ${name} there holds other pictures. Choose one.`,
      link,
    );
  }
  const { errors } = checkDataset(detail);
  if (errors.length > 0)
    throw new Problem('bad_dataset', 422, errors.join(' '), { ...link, link: `datasets/${encodeURIComponent(name)}` });
  const pictures = detail.files.map(({ file }) => file);
  await requirePackage(trainer, pictures, settings.python);
  return detail.path;
}

function checkpointCount(session: Session): number {
  return session.entries.filter((entry) => entry.endsWith('.safetensors')).length;
}

function refuseIfAlive(session: Session): void {
  const { liveness, facts, byHand } = session;
  if (liveness.alive === 'here') throw alreadyRunning(session.name, `It runs as process ${liveness.pid}.`);
  if (liveness.alive === 'elsewhere') throw alreadyRunning(session.name, facts.reason ?? 'It runs elsewhere.');
  if (byHand) throw alreadyRunning(session.name, `Process ${byHand.pid}, started by hand, writes into its folder.`);
}

/** Between the decision and the lock another Trackside, or a person, may have done something. */
function refuseUnlessDue(session: Session, attempt: string): void {
  if (session.latest?.id === attempt && session.facts.auto_resume.will) return;
  throw new Problem('not_due', 409, `${session.name} is not to be resumed by itself any more. Nothing was changed.`, {
    link: `sessions/${encodeURIComponent(session.name)}`,
  });
}

function alreadyRunning(name: string, detail: string): Problem {
  return new Problem('already_running', 409, `${name} is training already. ${detail} Nothing was changed.`, {
    link: `sessions/${encodeURIComponent(name)}`,
  });
}

function notOurs(session: Session): Problem {
  const message =
    session.file.kind === 'unreadable'
      ? (session.facts.reason ?? 'Its ui_state.json cannot be read.')
      : 'This folder holds no ui_state.json, so its settings are not known. Make a new training with settings of your own.';
  return new Problem('no_settings', 422, message, { link: `sessions/${encodeURIComponent(session.name)}` });
}
