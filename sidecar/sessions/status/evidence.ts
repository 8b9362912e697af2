import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { type AttemptRecord, readAttempt } from '../../launchers/attemptFile.js';
import type { JobLook } from '../../launchers/launcher.js';
import { copiedFrom, isOfFolder, type Liveness, liveness } from '../../launchers/liveness.js';
import { wasEndedByPod } from '../../launchers/podEnd.js';
import { readProgress, type StoredProgress } from '../../telemetry/progress.js';
import type { ConsoleFacts } from '../../trainers/console.js';
import type { Dialect } from '../../trainers/dialect.js';
import type { DialectOf } from '../../trainers/dialects.js';
import { byHandIn, type HandRun } from '../byHand/runs.js';
import type { WhatDiffers } from '../lineage/exactness.js';
import { isSessionLocked } from '../record/lock.js';
import { readStateFile, type StateFile } from '../record/stateFile.js';
import type { AttemptEntry, UiState } from '../record/uiState.js';
import { beginningOf, latestEntry } from './attempts.js';
import { hasNews, jobLook, waitsForRunner } from './jobs.js';
import { outputName } from './outputName.js';
import { settleEnded } from './settleEnded.js';
import { saysWaiting } from './status.js';
import { recordedTrainer, trainerOfFiles } from './trainer.js';

/** The facts in an output folder, before any conclusion. */
export type SessionEvidence = {
  name: string;
  folder: string;
  /** Top-level names of the folder, and how many of them are checkpoints. */
  entries: string[];
  checkpoints: number;
  /** Its record says that it waits, and its final weights are there, whole. */
  healed: boolean;
  file: StateFile;
  state: UiState | null;
  /** From its record or its files; null when unknown. */
  trainer: string | null;
  /** The reader of its console and files. */
  dialect: Dialect;
  outputName: string;
  liveness: Liveness;
  /** The training by hand in this folder; null while an attempt of ours lives. */
  byHand: HandRun | null;
  /** The newest attempt; settled, in memory at least, when it is not alive. */
  latest: AttemptEntry | null;
  /** `latest` was settled just now, and the file does not say so yet. */
  settledNow: boolean;
  /** The original's path, when the folder is a copy in which nobody has begun an attempt since; else null. */
  copyOf: string | null;
  /** Another sidecar holds the lock and is about to start `latest`; or a cluster is (see `job`). */
  pending: boolean;
  /** What a cluster told last of `latest`; null for an attempt of another launcher. */
  job: JobLook | null;
  progress: StoredProgress | null;
  /** The console's facts about the newest attempt. */
  console: ConsoleFacts;
};

/** The folder of all sessions, and the dialects of their trainings. */
export type SessionsPlace = {
  root: string;
  dialectOf: DialectOf;
  /** What keeps a session's states from being gone on with exactly today; `anew`: not as it was known a moment ago. */
  exactCheck?(of: SessionEvidence, anew: boolean): Promise<WhatDiffers>;
  /** Who reads holds the session's lock. */
  isOurs?: boolean;
};

/** Null when the folder is no session. `live` is the progress from the running attempt's follower, or null. */
export async function readEvidence(
  { root, dialectOf, isOurs = false }: SessionsPlace,
  name: string,
  live: StoredProgress | null,
): Promise<SessionEvidence | null> {
  const folder = join(root, name);
  const entries = await readdir(folder).catch(ifUnreadable(null, 'sessions'));
  if (!entries) return null;
  const file = await readStateFile(folder);
  const state = file.kind === 'whole' ? file.state : null;
  const recorded = recordedTrainer(state);
  const dialect = dialectOf(recorded ?? undefined);
  let checkpoints = entries.filter((entry) => dialect.nameBehind(entry)?.is === 'checkpoint').length;
  let record = readAttempt(folder);
  const alive = liveness(folder);
  // It may have ended between these two looks: its last process is gone once its end is written down.
  if (alive.alive === 'no' && record && !record.ended_at) {
    const now = readAttempt(folder);
    if (now?.id === record.id) record = now;
  }
  const byHand = alive.alive === 'no' ? byHandIn(folder) : null;
  if (file.kind === 'missing' && checkpoints === 0 && !record && !byHand) {
    const below = (await dialect.checkpointsBelow?.(folder, name)) ?? [];
    checkpoints = below.flatMap(({ files }) => files).length;
    if (checkpoints === 0) return null;
  }

  const entry = latestEntry(state, record);
  const own = byHand?.outputName ?? outputName(dialect, name, state, entries);
  const trainer = recorded ?? byHand?.trainer ?? (await trainerOfFiles(folder, own));
  let progress = live ?? readProgress(folder);
  let latest = entry;
  const copyOf = copyOfAnother(folder, record, entry);
  let settledNow = false;
  const job = jobLook(entry);
  let pending = entry !== null && alive.alive === 'no' && copyOf === null && waitsForRunner(entry, record, job);
  const isBetterKnown = () =>
    entry !== null && copyOf === null && (isCutOff(entry, record, folder) || hasNews(entry, record, job));
  if (entry && alive.alive === 'no' && !pending && (!entry.outcome || isBetterKnown())) {
    // A job that was submitted is beyond any sidecar.
    pending = job === null && copyOf === null && record?.id !== entry.id && !isOurs && (await isSessionLocked(folder));
    if (!pending) {
      ({ latest, progress } = await settleEnded({
        folder,
        entry,
        record,
        copyOf,
        dialect,
        outputName: own,
        stored: progress,
        job,
      }));
      settledNow = file.kind === 'whole';
    }
  }
  // A node that was cut off is back.
  if (latest?.outcome && alive.alive === 'job') latest = { ...latest, ...NOT_ENDED };
  if (progress && entry && progress.attempt !== entry.id && progress.attempt !== null) progress = null;
  const console = dialect.console.facts(progress?.dialect ?? null, latest && beginningOf(latest));
  return {
    name,
    folder,
    entries,
    checkpoints,
    healed: !entry && checkpoints > 0 && state !== null && (await isHealed(state, folder, dialect, own)),
    file,
    state,
    trainer,
    dialect,
    outputName: own,
    liveness: alive,
    byHand,
    latest,
    settledNow,
    copyOf,
    pending,
    job,
    progress,
    console,
  };
}

const NOT_ENDED = { outcome: null, reason: null, reason_code: null, ended_at: null, exit_code: null, signal: null };

async function isHealed(state: UiState, folder: string, dialect: Dialect, own: string): Promise<boolean> {
  if (!saysWaiting(state) || state.queue) return false;
  const path = join(folder, dialect.final.name(own));
  return existsSync(path) && (await dialect.final.wrong(path).catch(ifUnreadable('', 'sessions'))) === null;
}

/** By the runner's record of the newest attempt; without it, as while the copy is made, by that in ui_state.json. */
function copyOfAnother(folder: string, record: AttemptRecord | null, entry: AttemptEntry | null): string | null {
  if (entry && record?.id !== entry.id) return copiedFrom(entry, folder);
  return record && !isOfFolder(record, folder) ? record.output : null;
}

/** Was the attempt settled as stopped by hand, though the pod was ending? */
function isCutOff(entry: AttemptEntry, record: AttemptRecord | null, folder: string): boolean {
  if (entry.outcome !== 'stopped' || entry.stop_requested_at || record?.id !== entry.id) return false;
  return wasEndedByPod(record, folder);
}
