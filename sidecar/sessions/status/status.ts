import type { Liveness } from '../../launchers/liveness.js';
import type { SessionFacts, Status } from '../facts.js';
import type { AttemptEntry, UiState } from '../record/uiState.js';

export type DerivedStatus = {
  status: Status;
  interrupted: boolean;
  reason: string | null;
  reasonCode?: string | null;
};

/**
 * What a session is, from the evidence; what the file says counts only where there is none. Pure.
 * `latest` is the newest attempt, settled if it is not alive (see settle.ts); `stepSeen` is about that attempt.
 */
export function deriveStatus(evidence: {
  state: UiState | null;
  latest: AttemptEntry | null;
  liveness: Liveness;
  /** A training in this folder that somebody started in a terminal. */
  byHand?: { pid: number; ending: boolean } | null;
  stepSeen: boolean;
  checkpoints: number;
}): DerivedStatus {
  const { state, latest, liveness, stepSeen } = evidence;
  if (liveness.alive === 'elsewhere') {
    return is(
      'running',
      `It is running elsewhere, on ${liveness.hostname}; its last sign of life is ${Math.round(liveness.silentSeconds)} s old.`,
    );
  }
  if (liveness.alive === 'here') {
    if (latest?.stop_requested_at && latest.stop_when !== 'after-save') {
      return is('stopping', survivorWords(latest.survivors));
    }
    if (latest?.stalled) {
      const reason = [latest.stalled, survivorWords(latest.survivors)].filter(Boolean).join(' ');
      return is('stopping', reason);
    }
    const afterSave = latest?.stop_when === 'after-save' ? 'It stops after the next checkpoint.' : null;
    const reason = liveness.trainerEnded ? ENDED : afterSave;
    return is(stepSeen ? 'running' : 'starting', reason);
  }
  if (evidence.byHand) {
    const { pid, ending } = evidence.byHand;
    return is(ending ? 'stopping' : 'running', `It was started by hand, process ${pid}.`);
  }
  if (latest) return settled(latest);
  return recorded(state, evidence.checkpoints);
}

function is(status: Status, reason: string | null): DerivedStatus {
  return { status, interrupted: false, reason };
}

/** Who ended what is stopped; null where nobody did, or nothing tells. */
export function stoppedBy(status: Status, latest: AttemptEntry | null): SessionFacts['stopped_by'] {
  if (status !== 'stopped' || latest?.outcome !== 'stopped') return null;
  return latest.stop_requested_at ? 'you' : 'a signal';
}

/** What it means that processes survived SIGKILL; null where none did. */
function survivorWords(pids: readonly number[]): string | null {
  if (pids.length === 0) return null;
  const one = pids.length === 1;
  const named = one
    ? `Process ${pids[0]} survives`
    : `Processes ${pids.slice(0, -1).join(', ')} and ${pids.at(-1)} survive`;
  return `${named} SIGKILL: ${one ? 'it hangs' : 'they hang'} in the kernel, most often in the GPU driver or on a dead network disk. The GPU is not free until ${one ? 'it ends' : 'they end'}. Restart the pod; the training can be resumed then.`;
}

const ENDED =
  'Its trainer has ended. What it left behind is still ending, or the disk does not take the record of how it ended.';

/** An attempt that has ended says how, once and for all: later edits of `status` do not change it. */
function settled(latest: AttemptEntry): DerivedStatus {
  const { outcome, reason, reason_code: reasonCode } = latest;
  switch (outcome) {
    case 'completed':
      return is('completed', null);
    case 'failed':
      return { ...is('failed', reason), reasonCode };
    case 'stopped':
      return { ...is('stopped', reason), reasonCode };
    default:
      return { status: 'stopped', interrupted: true, reason, reasonCode };
  }
}

/** No attempt of ours: a draft, or a file of another tool, which may say "running" long after its death. */
function recorded(state: UiState | null, checkpoints: number): DerivedStatus {
  if (!state) {
    const count = checkpoints === 1 ? '1 checkpoint' : `${checkpoints} checkpoints`;
    return is('stopped', `Trackside did not start this training; the folder holds ${count}.`);
  }
  switch (state.status) {
    case 'completed':
      return is('completed', null);
    case 'failed':
      return is('failed', state.error ?? null);
    case 'stopped':
      return is('stopped', state.error ?? null);
    case 'starting':
    case 'running':
    case 'stopping':
      return {
        status: 'stopped',
        interrupted: true,
        reason: `Its ui_state.json says "${state.status}", but no process of it lives.`,
      };
    default:
      return is('draft', null);
  }
}
