import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isoTime } from '../../files/isoTime.js';
import { isWithin } from '../../security/paths.js';
import { LOG_FILE } from '../../telemetry/follow.js';
import { publicProgress, type StoredProgress } from '../../telemetry/progress.js';
import { isEnding } from '../byHand/end.js';
import { readHandProgress } from '../byHand/progress.js';
import { jobOf, waitingWords, wordsOfRun } from '../byHand/runs.js';
import type { Results, SessionFacts, Status } from '../facts.js';
import type { Candidate } from '../lineage/candidates.js';
import { chooseResume } from '../lineage/resume.js';
import { versionOf } from '../names.js';
import { readPutBack } from '../record/putBack.js';
import { STATE_FILE } from '../record/stateFile.js';
import { settingsOf } from '../record/uiState.js';
import { attemptFacts, withLatest } from './attempts.js';
import { AUTO_RESUMES, decideAutoResume } from './autoResumeRule.js';
import type { SessionEvidence } from './evidence.js';
import { goesOn, statusOfWaiting } from './jobs.js';
import { nextAction, type SavedStates } from './nextAction.js';
import { queueFacts } from './queued.js';
import { deriveStatus, pauseWords, stoppedBy } from './status.js';
import { stopCost } from './stopCost.js';

const CURVE_POINTS_SHOWN = 60;

/** The status of a session, and the actions that it allows. */
export type Standing = ReturnType<typeof standingOf>;

export function standingOf(evidence: SessionEvidence) {
  const { folder, file, state, dialect, liveness, byHand, latest, pending, progress, checkpoints } = evidence;
  const derived = deriveStatus({
    state,
    latest,
    liveness,
    byHand: byHand && { words: wordsOfRun(byHand), ending: isEnding(byHand), waits: waitingWords(byHand) },
    // Of a script that reports nothing, no step will ever be seen.
    stepSeen: progress?.begun || (evidence.console.silent ?? false),
    checkpoints,
    whole: evidence.healed,
    pause: pauseWords(latest, evidence.console),
  });
  const queue = pending || liveness.alive !== 'no' || byHand ? null : queueFacts(state, latest);
  const waiting = pending && evidence.job && latest ? statusOfWaiting(latest, evidence.job) : null;
  const status = waiting?.status ?? (pending || queue ? 'pending' : derived.status);
  const idle = liveness.alive === 'no' && !byHand && !pending;
  const final = join(folder, dialect.final.name(evidence.outputName));
  const allTrained = status === 'completed' || (idle && (latest?.all_trained ?? false) && existsSync(final));
  return {
    ...derived,
    status,
    reason: waiting ? waiting.reason : queue ? queue.failed : derived.reason,
    reasonCode: waiting || queue ? null : derived.reasonCode,
    interrupted: derived.interrupted && !pending && status !== 'pending',
    /** It waits on a cluster for its node. */
    waits: (waiting !== null && waiting.status !== 'stopping') || (status === 'pending' && byHand !== null),
    /** Its place in the queue; null when it does not wait there. */
    queue,
    /** Nothing of it runs, or is about to run. */
    idle,
    /** Absolute path of the final weights, which may not exist. */
    final,
    allTrained,
    /** It ended early, or another program trained it: a resume may be possible. */
    resumable: idle && file.kind === 'whole' && !allTrained,
    /** An attempt could be started. */
    trainable: idle && file.kind === 'whole',
  };
}

/** The public facts. `candidates` are its states; null: they don't matter, but at least one is complete. */
export async function sessionFacts(
  evidence: SessionEvidence,
  standing: Standing,
  candidates: readonly Candidate[] | null,
): Promise<SessionFacts> {
  const { name, folder, entries, file, state, dialect, liveness: alive, byHand, latest, progress } = evidence;
  const { status, interrupted, final, allTrained, resumable } = standing;
  const epochs = state?.max_train_epochs ?? progress?.epochs ?? null;
  const resume = resumable ? (chooseResume(candidates ?? [], epochs, progress?.step ?? null)?.facts ?? null) : null;
  return {
    ...recordedFacts({ name, folder, state, latest, status }),
    trainer: evidence.trainer,
    interrupted,
    reason: file.kind === 'unreadable' ? unreadable(file.reason) : standing.reason,
    reason_code: standing.reasonCode ?? null,
    record: file.kind === 'whole' ? 'whole' : file.kind === 'missing' ? 'found' : 'unreadable',
    looked_into: true,
    // Train further and Start over move it to earlier/; a recorded file may be gone.
    final_checkpoint:
      [final, state?.outputs?.final_checkpoint].find(
        (path) => path && isWithin(dirname(folder), path) && existsSync(path),
      ) ?? null,
    created_at: state?.created_at ?? isoTime((await stat(folder)).mtimeMs),
    copy_of: evidence.copyOf,
    all_trained: allTrained,
    results: resultsOf(progress) ?? state?.results ?? null,
    progress: byHand && !byHand.job?.waits ? await readHandProgress(byHand) : publicProgress(progress),
    attempts: (state?.attempts ?? []).map((each) => attemptFacts(each, latest, alive)),
    resume,
    auto_resume: {
      on: state?.enable_monitoring ?? false,
      in_seconds: null,
      ...decideAutoResume({
        copyOf: evidence.copyOf,
        on: standing.idle && !standing.queue && ((state?.enable_monitoring ?? false) || goesOn(latest)),
        attempts: withLatest(state?.attempts ?? [], latest),
        resume,
        most: AUTO_RESUMES,
      }),
    },
    queue: standing.queue,
    stop_cost: alive.alive !== 'no' && state && latest ? stopCost(progress, state, latest) : null,
    stops_after_save: alive.alive !== 'no' && latest?.stop_when === 'after-save',
    exact_pause: alive.alive === 'no' ? null : (evidence.console.exact ?? null),
    pausing: alive.alive !== 'no' && latest?.pause_requested_at != null,
    by_hand: byHand && { pid: byHand.pid, job: jobOf(byHand), since: byHand.since },
    next: nextAction({
      // A job that waits can be taken out of its cluster's queue.
      waits: standing.waits,
      status,
      allTrained,
      trainable: standing.trainable,
      resume: resume !== null,
      // A script of the user says itself how long it is.
      states: allTrained && dialect.completes === 'by its word' ? 'none' : savedStates(candidates),
      checkpoints: evidence.checkpoints,
      alive: alive.alive !== 'no' || byHand !== null,
    }),
    newest_sample: entries.includes(dialect.samples.folder) ? await dialect.samples.newest(folder) : null,
    loss_curve: thin((progress?.loss_curve ?? []).map(([, loss]) => loss)),
    put_back: await readPutBack(folder, entries),
  };
}

/** Null where no step was reported. */
function resultsOf(progress: StoredProgress | null): Results | null {
  if (!progress?.step) return null;
  const { step: steps, loss, best_loss, best_step } = progress;
  return { steps, final_loss: typeof loss === 'number' ? loss : null, best_loss, best_step };
}

/** What the record tells by itself, and what follows from its status. */
export function recordedFacts(of: Pick<SessionEvidence, 'name' | 'folder' | 'state' | 'latest'> & { status: Status }) {
  const { name, folder, state, latest, status } = of;
  return {
    name,
    lora_name: state?.lora_name ?? name,
    version: state?.version ?? versionOf(name),
    version_name: state?.version_name?.trim() || null,
    marked_best: state?.marked_best ?? false,
    pinned: state?.pinned ?? false,
    rating: state?.rating ?? null,
    tags: state?.tags ?? [],
    made_from: state?.made_from ?? null,
    imported: state?.imported ?? null,
    results: state?.results ?? null,
    status,
    stopped_by: stoppedBy(status, latest),
    description: state?.description ?? '',
    best_sample: state?.best_sample || null,
    notes: state?.notes ?? '',
    output_path: folder,
    dataset_path: state?.dataset?.path ?? null,
    images: state?.dataset?.images ?? null,
    captions: state?.dataset?.captions ?? null,
    log_path: join(folder, LOG_FILE),
    timestamp: state?.timestamp ?? null,
    completed_at: status === 'completed' ? (latest?.ended_at ?? state?.completed_at ?? null) : null,
    retried_smaller: state?.retried_smaller ?? null,
    stalled_seconds: null,
    settings: settingsOf(state),
  };
}

function savedStates(candidates: readonly Candidate[] | null): SavedStates {
  if (!candidates || candidates.some((each) => each.complete)) return 'complete';
  return candidates.length > 0 ? 'incomplete' : 'none';
}

function unreadable(reason: string): string {
  return `${STATE_FILE} can't be read: ${reason}. Trackside left it as it is. Repair it, or restore a copy from history/.`;
}

function thin(values: number[]): number[] {
  const every = Math.ceil(values.length / CURVE_POINTS_SHOWN);
  return every <= 1 ? values : values.filter((_, index) => (values.length - 1 - index) % every === 0);
}
