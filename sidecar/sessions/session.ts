import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { check as isLocked } from 'proper-lockfile';
import { type AttemptRecord, readAttempt } from '../processes/attemptFile.js';
import { type Liveness, liveness } from '../processes/liveness.js';
import { accountForRest, LOG_FILE } from '../telemetry/follow.js';
import { readLogTail } from '../telemetry/logTail.js';
import { beginProgress, publicProgress, readProgress, type StoredProgress } from '../telemetry/progress.js';
import { checkpointName, outputNameBehind } from '../trainers/fileNames.js';
import { newestSample } from '../trainers/samples.js';
import { AUTO_RESUMES, decideAutoResume } from './autoResumeRule.js';
import { byHandIn, type HandRun } from './byHand.js';
import { isEnding } from './endByHand.js';
import type { AttemptFacts, NextAction, SessionFacts } from './facts.js';
import { readHandProgress } from './handProgress.js';
import { versionOf } from './names.js';
import { outputName } from './outputName.js';
import { readPutBack } from './putBack.js';
import { type Candidate, chooseResume, readCandidates } from './resume.js';
import { finalSignature, settle } from './settle.js';
import { readStateFile, STATE_FILE, type StateFile } from './stateFile.js';
import { deriveStatus } from './status.js';
import { type AttemptEntry, SETTING_NAMES, type UiState } from './uiState.js';

const CURVE_POINTS_SHOWN = 60;
const TAIL_LINES = 80;

/** An output folder, read whole: the facts that are shown, and the evidence that the verbs act on. */
export type Session = {
  name: string;
  folder: string;
  facts: SessionFacts;
  file: StateFile;
  state: UiState | null;
  /** The newest attempt; settled, in memory at least, when it is not alive. */
  latest: AttemptEntry | null;
  /** `latest` was settled just now, and the file does not say so yet. */
  settledNow: boolean;
  liveness: Liveness;
  /** What somebody started in a terminal and writes into this folder; null where an attempt of ours lives. */
  byHand: HandRun | null;
  outputName: string;
  /** Top-level names of the folder. */
  entries: string[];
  candidates: Candidate[];
  progress: StoredProgress | null;
};

/**
 * Reads an output folder. `live` is the progress of a follower of the running attempt, where there is one. Null when
 * the folder is no session: no record, no attempt and no checkpoint in it. `thorough` reads the newest states to their
 * last byte, where nothing runs: what a lost power supply leaves is not seen at their ends.
 */
export async function readSession(
  root: string,
  name: string,
  live: StoredProgress | null,
  thorough = false,
): Promise<Session | null> {
  const folder = join(root, name);
  const entries = await readdir(folder).catch(() => null);
  if (!entries) return null;
  const checkpoints = entries.filter((entry) => entry.endsWith('.safetensors') && outputNameBehind(entry)).length;
  const file = await readStateFile(folder);
  const record = presentRecord(folder);
  const alive = liveness(folder);
  const byHand = alive.alive === 'no' ? byHandIn(folder) : null;
  if (file.kind === 'missing' && checkpoints === 0 && !record && !byHand) return null;

  const state = file.kind === 'whole' ? file.state : null;
  const entry = latestEntry(state, record);
  const own = byHand?.outputName ?? outputName(name, state, entries);
  let progress = live ?? readProgress(folder);
  let latest = entry;
  let settledNow = false;
  let pending = false;
  if (entry && !entry.outcome && alive.alive === 'no') {
    pending =
      record?.id !== entry.id && (await isLocked(folder, { lockfilePath: lockPath(folder) }).catch(() => false));
    if (!pending) {
      progress = await accountFor(folder, entry, progress);
      latest = { ...entry, ...(await settleFrom(folder, entry, record, own, progress)) };
      settledNow = file.kind === 'whole';
    }
  }
  if (progress && entry && progress.attempt !== entry.id && progress.attempt !== null) progress = null;

  const epochs = state?.max_train_epochs ?? progress?.epochs ?? null;
  const derived = deriveStatus({
    state,
    latest,
    liveness: alive,
    byHand: byHand && { pid: byHand.pid, ending: isEnding(byHand) },
    stepSeen: (progress?.console.step ?? 0) > 0,
    checkpoints,
  });
  const status = pending ? 'pending' : derived.status;
  const idle = alive.alive === 'no' && !byHand && !pending;
  const candidates = await readCandidates({
    folder,
    outputName: own,
    attempts: state?.attempts ?? [],
    stepsPerEpoch: progress?.steps_per_epoch ?? null,
    writingNow: idle ? null : (progress?.console.savingState ?? null),
    thorough: idle && (thorough || settledNow),
  });
  const trained = progress?.step ?? null;
  const resumable = idle && latest !== null && latest.outcome !== 'completed';
  const resume = resumable ? (chooseResume(candidates, epochs, trained)?.facts ?? null) : null;
  const final = join(folder, checkpointName(own, { kind: 'final', number: null }));
  const trainable = idle && file.kind === 'whole';
  const facts: SessionFacts = {
    name,
    lora_name: state?.lora_name ?? name,
    version: state?.version ?? versionOf(name),
    trainer: state?.trainer ?? 'practice',
    status,
    interrupted: derived.interrupted && !pending,
    reason: file.kind === 'unreadable' ? unreadable(file.reason) : derived.reason,
    record: file.kind === 'whole' ? 'whole' : file.kind === 'missing' ? 'found' : 'unreadable',
    looked_into: true,
    description: state?.description ?? '',
    notes: state?.notes ?? '',
    output_path: folder,
    dataset_path: state?.dataset?.path ?? null,
    log_path: join(folder, LOG_FILE),
    // Train further and start over move it to earlier/; a file that was recorded may be gone.
    final_checkpoint: [final, state?.outputs?.final_checkpoint].find((path) => path && existsSync(path)) ?? null,
    timestamp: state?.timestamp ?? null,
    created_at: state?.created_at ?? (await birth(folder)),
    completed_at: status === 'completed' ? (latest?.ended_at ?? state?.completed_at ?? null) : null,
    progress: byHand ? await readHandProgress(byHand) : publicProgress(progress),
    attempts: (state?.attempts ?? []).map((each) => attemptFacts(each, latest, alive)),
    resume,
    auto_resume: {
      on: state?.enable_monitoring ?? false,
      in_seconds: null,
      ...decideAutoResume({
        on: idle && (state?.enable_monitoring ?? false),
        attempts: withLatest(state?.attempts ?? [], latest),
        resume,
        most: AUTO_RESUMES,
      }),
    },
    stalled_seconds: null,
    by_hand: byHand && { pid: byHand.pid, since: byHand.since },
    next: nextAction({
      status,
      trainable,
      resume: resume !== null,
      candidates,
      checkpoints,
      alive: alive.alive !== 'no' || byHand !== null,
    }),
    newest_sample: entries.includes('sample') ? await newestSample(folder) : null,
    loss_curve: thin((progress?.loss_curve ?? []).map(([, loss]) => loss)),
    settings: settingsOf(state),
    put_back: await readPutBack(folder, entries),
  };
  return {
    name,
    folder,
    facts,
    file,
    state,
    latest,
    settledNow,
    liveness: alive,
    byHand,
    outputName: own,
    entries,
    candidates,
    progress,
  };
}

export function lockPath(folder: string): string {
  return join(folder, `${STATE_FILE}.lock`);
}

function presentRecord(folder: string): AttemptRecord | null {
  const record = readAttempt(folder);
  return record && !('broken' in record) ? record : null;
}

/** The newest attempt, of the file; or of the runner's record, where the file was lost or put back meanwhile. */
function latestEntry(state: UiState | null, record: AttemptRecord | null): AttemptEntry | null {
  const last = state?.attempts.at(-1) ?? null;
  if (!record || state?.attempts.some((attempt) => attempt.id === record.id)) return last;
  if (last && last.number >= record.number) return last;
  return {
    number: record.number,
    kind: record.kind,
    id: record.id,
    started_at: record.started_at,
    argv: record.argv,
    cwd: record.cwd,
    log_start: record.log_start,
    log_end: null,
    ended_at: null,
    resumed_from: null,
    first_epoch: 1,
    step_offset: 0,
    exit_code: null,
    signal: null,
    reason: null,
    outcome: null,
    stop_requested_at: null,
    stop_when: null,
    final_before: null,
    automatic: false,
    gpus: [],
    steps_per_epoch: null,
    begun_step: null,
    no_retry: null,
    stalled: null,
  };
}

/** Reads what the log holds beyond progress.json: the sidecar may have been down when the attempt ended. */
async function accountFor(
  folder: string,
  entry: AttemptEntry,
  progress: StoredProgress | null,
): Promise<StoredProgress> {
  const begun =
    progress?.attempt === entry.id
      ? progress
      : beginProgress({
          id: entry.id,
          step: entry.step_offset,
          epoch: entry.first_epoch - 1,
          epochs: null,
          before: progress,
          now: new Date(),
        });
  return accountForRest(folder, entry.step_offset, entry.log_start, begun);
}

async function settleFrom(
  folder: string,
  entry: AttemptEntry,
  record: AttemptRecord | null,
  own: string,
  progress: StoredProgress | null,
) {
  const log = join(folder, LOG_FILE);
  const mine = record?.id === entry.id ? record : null;
  const logStart = mine?.log_start ?? entry.log_start;
  const final = finalSignature(folder, own);
  return settle({
    entry,
    record: mine,
    stepSeen: (progress?.console.step ?? 0) > 0,
    newFinal: final !== null && final !== entry.final_before,
    finalName: checkpointName(own, { kind: 'final', number: null }),
    logTail: mine ? (await readLogTail(log, TAIL_LINES, logStart, mine.log_end ?? undefined)).text : '',
    logSize: (await stat(log).catch(() => null))?.size ?? 0,
    now: new Date(),
  });
}

export function attemptFacts(each: AttemptEntry, latest: AttemptEntry | null, alive: Liveness): AttemptFacts {
  const entry = latest?.id === each.id ? latest : each;
  const isAlive = alive.alive !== 'no' && latest?.id === each.id;
  const { number, kind, started_at, ended_at, resumed_from, first_epoch, step_offset } = entry;
  const { exit_code, signal, reason, argv, log_start, log_end, automatic, gpus } = entry;
  const pid = isAlive && alive.alive === 'here' ? alive.pid : null;
  return {
    number,
    kind,
    started_at,
    ended_at,
    pid,
    alive: isAlive,
    resumed_from,
    first_epoch,
    step_offset,
    exit_code,
    signal,
    reason: entry.outcome === 'completed' ? 'Completed.' : reason,
    argv,
    log_start,
    log_end,
    automatic,
    gpus,
  };
}

function withLatest(attempts: readonly AttemptEntry[], latest: AttemptEntry | null): AttemptEntry[] {
  const before = attempts.filter((each) => each.id !== latest?.id);
  return latest ? [...before, latest] : before;
}

function nextAction(is: {
  status: SessionFacts['status'];
  trainable: boolean;
  resume: boolean;
  candidates: readonly Candidate[];
  checkpoints: number;
  alive: boolean;
}): NextAction {
  if (is.status === 'stopping' || is.status === 'pending') return null;
  if (is.alive) return 'stop';
  if (!is.trainable) return null;
  if (is.resume) return 'resume';
  if (is.status === 'completed') return is.candidates.some((each) => each.complete) ? 'train further' : null;
  return is.checkpoints === 0 && is.candidates.length === 0 ? 'start' : 'start over';
}

export function settingsOf(state: UiState | null): Record<string, unknown> {
  if (!state) return {};
  return {
    ...Object.fromEntries(SETTING_NAMES.flatMap((name) => (state[name] === undefined ? [] : [[name, state[name]]]))),
    arguments: state.arguments,
  };
}

function unreadable(reason: string): string {
  return `${STATE_FILE} can't be read: ${reason}. It was left as it is; mend it, or put back a version from history/.`;
}

async function birth(folder: string): Promise<string> {
  return (await stat(folder)).mtime.toISOString();
}

function thin(values: number[]): number[] {
  const every = Math.ceil(values.length / CURVE_POINTS_SHOWN);
  return every <= 1 ? values : values.filter((_, index) => (values.length - 1 - index) % every === 0);
}
