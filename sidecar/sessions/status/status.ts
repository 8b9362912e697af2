import type { Liveness } from '../../launchers/liveness.js';
import type { ConsoleFacts } from '../../trainers/console.js';
import type { SessionFacts, Status } from '../facts.js';
import type { AttemptEntry, UiState } from '../record/uiState.js';
import { COPIED } from './settle.js';

export type DerivedStatus = { status: Status; interrupted: boolean; reason: string | null; reasonCode?: string | null };

/**
 * Derives a session's status from the evidence; the file's own status counts only without any. Pure. `latest` is the
 * newest attempt, settled if it is not alive (see settle.ts); `stepSeen` is about that attempt.
 */
export function deriveStatus(evidence: {
  state: UiState | null;
  latest: AttemptEntry | null;
  liveness: Liveness;
  /** A training by hand in this folder. */
  byHand?: { words: string; ending: boolean; waits: string | null } | null;
  stepSeen: boolean;
  checkpoints: number;
  /** Are the final weights there, whole? Asked of a record that still waits (see `saysWaiting`). */
  whole?: boolean;
  /** It is about to pause, or could not; in words. */
  pause?: string | null;
}): DerivedStatus {
  const { state, latest, liveness, stepSeen } = evidence;
  if (liveness.alive === 'elsewhere') {
    const stopping = latest?.stop_requested_at && latest.stop_when !== 'after-save';
    const sign = `Last sign of life: ${Math.round(liveness.silentSeconds)} s ago.`;
    const where = `It is ${stopping ? 'being stopped' : 'running'} on ${liveness.hostname}. ${sign}`;
    const afterSave = latest?.stop_when === 'after-save' ? ` ${AFTER_SAVE}` : '';
    return is(stopping ? 'stopping' : 'running', where + afterSave);
  }
  if (liveness.alive === 'job') return ofJob(evidence, liveness);
  if (liveness.alive === 'here') {
    if (latest?.stop_requested_at && latest.stop_when !== 'after-save')
      return is('stopping', survivorWords(latest.survivors));
    if (latest?.stalled)
      return is('stopping', [latest.stalled, survivorWords(latest.survivors)].filter(Boolean).join(' '));
    const afterSave = latest?.stop_when === 'after-save' ? AFTER_SAVE : null;
    const { saves_to: savesTo } = liveness.attempt;
    const reason = savesTo ? savesElsewhere(savesTo) : liveness.trainerEnded ? ENDED : (evidence.pause ?? afterSave);
    return is(stepSeen ? 'running' : 'starting', reason);
  }
  if (evidence.byHand) {
    const { words, ending, waits } = evidence.byHand;
    if (waits !== null && !ending) return is('pending', waits);
    return is(ending ? 'stopping' : 'running', `It was started by hand, ${words}.`);
  }
  if (latest) return settled(latest);
  return recorded(state, evidence.checkpoints, evidence.whole ?? false);
}

function ofJob(
  { latest, stepSeen, pause }: Parameters<typeof deriveStatus>[0],
  { hostname, attempt, silentSeconds, trainerEnded }: Liveness & { alive: 'job' },
): DerivedStatus {
  const stopping = (latest?.stop_requested_at && latest.stop_when !== 'after-save') || latest?.stalled;
  const where = `${stopping ? 'It is being stopped' : 'It runs'} on ${hostname}, as job ${attempt.job}.`;
  const sign = silentSeconds < QUIET_SECONDS ? null : `Last sign of life: ${Math.round(silentSeconds)} s ago.`;
  const afterSave = latest?.stop_when === 'after-save' ? AFTER_SAVE : null;
  const more = latest?.stalled ?? (trainerEnded ? ENDED : (pause ?? afterSave));
  return is(stopping ? 'stopping' : stepSeen ? 'running' : 'starting', [where, more, sign].filter(Boolean).join(' '));
}

/** Three missed heartbeats are the end; one is told. */
const QUIET_SECONDS = 4;

/** What a running training says of a pause that was asked for, or of the state it went on from, in words; null without either. */
export function pauseWords(
  latest: AttemptEntry | null,
  { refused, finishingAt, notExactly }: ConsoleFacts,
): string | null {
  if (finishingAt != null) return `It is ending at step ${finishingAt}: these weights become the final ones.`;
  if (refused) return `It ${refused}. The training goes on; try again once that is fixed.`;
  if (latest?.pause_requested_at) return 'Pausing: it saves the current step, then ends.';
  return notExactly ? `It could not go on exactly where it ended: ${notExactly}. It resumes in the usual way.` : null;
}

const AFTER_SAVE = 'It stops after the next checkpoint.';

function is(status: Status, reason: string | null): DerivedStatus {
  return { status, interrupted: false, reason };
}

/** Who stopped it; null when nobody did, or unknown. */
export function stoppedBy(status: Status, latest: AttemptEntry | null): SessionFacts['stopped_by'] {
  if (status !== 'stopped' || latest?.outcome !== 'stopped' || latest.reason_code === COPIED) return null;
  return latest.stop_requested_at || latest.pause_requested_at ? 'you' : 'a signal';
}

/** The consequence of processes that survived SIGKILL; null without any. */
function survivorWords(pids: readonly number[]): string | null {
  if (pids.length === 0) return null;
  const one = pids.length === 1;
  const named = one ? `Process ${pids[0]}` : `Processes ${pids.slice(0, -1).join(', ')} and ${pids.at(-1)}`;
  return `${named} can't be killed: ${one ? 'it hangs' : 'they hang'} in the kernel, usually in the GPU driver or on a dead network disk. The GPU stays in use until ${one ? 'it ends' : 'they end'}. Restart the pod, then resume the training.`;
}

function savesElsewhere(path: string): string {
  return `Its folder was moved while it trains, so its next checkpoints are saved to ${path}. To have them here, stop it and resume it.`;
}

const ENDED = 'The trainer has ended. Trackside is waiting for its last processes, or for a disk that can be written.';

/** The outcome of an ended attempt is final: later edits of `status` do not change it. */
function settled(latest: AttemptEntry): DerivedStatus {
  const { outcome, reason, reason_code: reasonCode } = latest;
  if (outcome === 'completed') return is('completed', reason);
  if (outcome === 'failed' || outcome === 'stopped') return { ...is(outcome, reason), reasonCode };
  return { status: 'stopped', interrupted: true, reason, reasonCode };
}

/** The status without an attempt of ours: a draft, or another tool's file, which may say "running" after its death. */
function recorded(state: UiState | null, checkpoints: number, whole: boolean): DerivedStatus {
  if (!state) {
    const count = checkpoints === 1 ? '1 checkpoint' : `${checkpoints} checkpoints`;
    return is('stopped', `Trackside did not start this training; the folder holds ${count}.`);
  }
  const said = meaningOf(state.status ?? '');
  if (said === 'alive') return diedAs(state.status ?? '', state.error);
  if (said === 'stopped' && state.status_found) return diedAs(state.status_found, state.error);
  if (said === 'failed' || said === 'stopped') return is(said, state.error ?? null);
  if (whole && saysWaiting(state)) return is('completed', null);
  if (said === 'completed' || said === 'draft' || checkpoints === 0) return is(said ?? 'draft', null);
  return is('stopped', state.status ? `Its ui_state.json says "${state.status}".` : null);
}

/** Does another tool's record say that the training has not begun? It may have died before it said that it ended. */
export function saysWaiting({ status }: UiState): boolean {
  return /^(?:pending|queued|waiting|scheduled)$/.test((status ?? '').trim().toLowerCase());
}

/** The meanings of tools' words in `status`. */
const MEANINGS: readonly [pattern: RegExp, means: 'completed' | 'failed' | 'stopped' | 'alive' | 'draft'][] = [
  [/^(?:completed?|done|finished|success(?:ful)?|succeeded)$/, 'completed'],
  [/^(?:failed|failure|error(?:ed)?|crashed)$/, 'failed'],
  [/^(?:stopped|cancell?ed|aborted|terminated|killed|interrupted|paused)$/, 'stopped'],
  [
    /^(?:start|runn|stopp|train|prepar|process|sampl|sav|resum|cach|load)ing$|^(?:started|active|in[ _-]progress)$/,
    'alive',
  ],
  [/^draft$/, 'draft'],
];

function meaningOf(status: string) {
  // Some tools put a symbol in front.
  const word = status
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .trim()
    .toLowerCase();
  return MEANINGS.find(([pattern]) => pattern.test(word))?.[1] ?? null;
}

function diedAs(status: string, error: string | undefined): DerivedStatus {
  const reason = `Its ui_state.json said "${status}", but none of its processes is running.`;
  return { status: 'stopped', interrupted: true, reason: error ? `${reason} Its error: ${error}` : reason };
}
