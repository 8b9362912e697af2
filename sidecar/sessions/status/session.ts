import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type AttemptRecord, readAttempt } from '../../launchers/attemptFile.js';
import { type Liveness, liveness } from '../../launchers/liveness.js';
import { wasEndedByPod } from '../../launchers/podEnd.js';
import { isWithin } from '../../security/paths.js';
import { LOG_FILE } from '../../telemetry/follow.js';
import { publicProgress, readProgress, type StoredProgress } from '../../telemetry/progress.js';
import type { ConsoleFacts, Dialect } from '../../trainers/dialect.js';
import type { DialectOf } from '../../trainers/dialects.js';
import { isEnding } from '../byHand/end.js';
import { readHandProgress } from '../byHand/progress.js';
import { byHandIn, type HandRun } from '../byHand/runs.js';
import type { SessionFacts } from '../facts.js';
import { type Candidate, readCandidates } from '../lineage/candidates.js';
import { chooseResume } from '../lineage/resume.js';
import { versionOf } from '../names.js';
import { isSessionLocked } from '../record/lock.js';
import { readPutBack } from '../record/putBack.js';
import { readStateFile, STATE_FILE, type StateFile } from '../record/stateFile.js';
import { type AttemptEntry, settingsOf, type UiState } from '../record/uiState.js';
import { attemptFacts, beginningOf, latestEntry, withLatest } from './attempts.js';
import { AUTO_RESUMES, decideAutoResume } from './autoResumeRule.js';
import { nextAction, type SavedStates } from './nextAction.js';
import { outputName } from './outputName.js';
import { settleEnded } from './settleEnded.js';
import { deriveStatus, stoppedBy } from './status.js';

const CURVE_POINTS_SHOWN = 60;

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
  /** How what its training prints and leaves behind is read. */
  dialect: Dialect;
  outputName: string;
  /** Top-level names of the folder. */
  entries: string[];
  /** All of its states after a thorough reading; else those that its facts are made from. */
  candidates: Candidate[];
  progress: StoredProgress | null;
  /** What the newest attempt has said of itself. */
  console: ConsoleFacts;
};

/**
 * Reads an output folder. `live` is the progress of a follower of the running attempt, where there is one. Null when
 * the folder is no session: no record, no attempt and no checkpoint in it. `thorough` reads all of its states, and where
 * nothing runs the newest to their last byte: what a lost power supply leaves is not seen at their ends.
 */
export async function readSession(
  { root, dialectOf }: { root: string; dialectOf: DialectOf },
  name: string,
  live: StoredProgress | null,
  thorough = false,
): Promise<Session | null> {
  const folder = join(root, name);
  const entries = await readdir(folder).catch(() => null);
  if (!entries) return null;
  const file = await readStateFile(folder);
  const state = file.kind === 'whole' ? file.state : null;
  const dialect = dialectOf(state?.trainer);
  const checkpoints = entries.filter((entry) => dialect.nameBehind(entry)?.is === 'checkpoint').length;
  const record = presentRecord(folder);
  const alive = liveness(folder);
  const byHand = alive.alive === 'no' ? byHandIn(folder) : null;
  if (file.kind === 'missing' && checkpoints === 0 && !record && !byHand) return null;

  const entry = latestEntry(state, record);
  const own = byHand?.outputName ?? outputName(dialect, name, state, entries);
  let progress = live ?? readProgress(folder);
  let latest = entry;
  let settledNow = false;
  let pending = false;
  if (entry && alive.alive === 'no' && (!entry.outcome || isCutOff(entry, record, folder))) {
    pending = record?.id !== entry.id && (await isSessionLocked(folder));
    if (!pending) {
      ({ latest, progress } = await settleEnded({ folder, entry, record, dialect, outputName: own, stored: progress }));
      settledNow = file.kind === 'whole';
    }
  }
  if (progress && entry && progress.attempt !== entry.id && progress.attempt !== null) progress = null;

  const console = dialect.console.facts(progress?.dialect ?? null, latest && beginningOf(latest));
  const epochs = state?.max_train_epochs ?? progress?.epochs ?? null;
  const derived = deriveStatus({
    state,
    latest,
    liveness: alive,
    byHand: byHand && { pid: byHand.pid, ending: isEnding(byHand) },
    stepSeen: progress?.begun ?? false,
    checkpoints,
  });
  const status = pending ? 'pending' : derived.status;
  const idle = alive.alive === 'no' && !byHand && !pending;
  const final = join(folder, dialect.final.name(own));
  const allTrained = status === 'completed' || (idle && (latest?.all_trained ?? false) && existsSync(final));
  const resumable = idle && latest !== null && !allTrained;
  const trainable = idle && file.kind === 'whole';
  const all = () =>
    readCandidates({
      folder,
      dialect,
      outputName: own,
      attempts: state?.attempts ?? [],
      stepsPerEpoch: progress?.steps_per_epoch ?? null,
      writingNow: idle ? null : console.savingState,
      thorough: idle && (thorough || settledNow),
    });
  // Of what runs no state matters here, and of what is completed one that is complete; to find it is a third of the work.
  const enough = !thorough && !resumable && (!trainable || (await dialect.states.hasComplete(folder, own, entries)));
  const candidates = enough ? [] : await all();
  const trained = progress?.step ?? null;
  const resume = resumable ? (chooseResume(candidates, epochs, trained)?.facts ?? null) : null;
  const facts: SessionFacts = {
    name,
    lora_name: state?.lora_name ?? name,
    version: state?.version ?? versionOf(name),
    trainer: state?.trainer ?? 'practice',
    status,
    interrupted: derived.interrupted && !pending,
    stopped_by: stoppedBy(status, latest),
    reason: file.kind === 'unreadable' ? unreadable(file.reason) : derived.reason,
    record: file.kind === 'whole' ? 'whole' : file.kind === 'missing' ? 'found' : 'unreadable',
    looked_into: true,
    description: state?.description ?? '',
    notes: state?.notes ?? '',
    output_path: folder,
    dataset_path: state?.dataset?.path ?? null,
    log_path: join(folder, LOG_FILE),
    // Train further and start over move it to earlier/; a file that was recorded may be gone.
    final_checkpoint:
      [final, state?.outputs?.final_checkpoint].find((path) => path && isWithin(root, path) && existsSync(path)) ??
      null,
    timestamp: state?.timestamp ?? null,
    created_at: state?.created_at ?? (await birth(folder)),
    completed_at: status === 'completed' ? (latest?.ended_at ?? state?.completed_at ?? null) : null,
    all_trained: allTrained,
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
    stops_after_save: alive.alive === 'here' && latest?.stop_when === 'after-save',
    stalled_seconds: null,
    by_hand: byHand && { pid: byHand.pid, since: byHand.since },
    next: nextAction({
      status,
      allTrained,
      trainable,
      resume: resume !== null,
      states: enough ? 'complete' : savedStates(candidates),
      checkpoints,
      alive: alive.alive !== 'no' || byHand !== null,
    }),
    newest_sample: entries.includes(dialect.samples.folder) ? await dialect.samples.newest(folder) : null,
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
    dialect,
    outputName: own,
    entries,
    candidates,
    progress,
    console,
  };
}

/** It was told as stopped by hand, and a moment later the pod turned out to be ending. */
function isCutOff(entry: AttemptEntry, record: AttemptRecord | null, folder: string): boolean {
  if (entry.outcome !== 'stopped' || entry.stop_requested_at || record?.id !== entry.id) return false;
  return wasEndedByPod(record, folder);
}

function savedStates(candidates: readonly Candidate[]): SavedStates {
  if (candidates.some((each) => each.complete)) return 'complete';
  return candidates.length > 0 ? 'incomplete' : 'none';
}

function presentRecord(folder: string): AttemptRecord | null {
  const record = readAttempt(folder);
  return record && !('broken' in record) ? record : null;
}

function unreadable(reason: string): string {
  return `${STATE_FILE} can't be read: ${reason}. It was left as it is; mend it, or put back a copy from history/.`;
}

async function birth(folder: string): Promise<string> {
  return (await stat(folder)).mtime.toISOString();
}

function thin(values: number[]): number[] {
  const every = Math.ceil(values.length / CURVE_POINTS_SHOWN);
  return every <= 1 ? values : values.filter((_, index) => (values.length - 1 - index) % every === 0);
}
