import { dirname } from 'node:path';
import { log } from '../../log.js';
import { withSessionLock } from '../record/lock.js';
import { updateStateFile } from '../record/stateFile.js';
import { type AttemptEntry, editAttempt, type RawState } from '../record/uiState.js';
import { isAlive } from './alive.js';
import { readSession, type Session } from './session.js';

/**
 * Writes the evidence into a session's file if that differs, under the lock: another sidecar may be about to start the
 * session. Returns the session, read again. Null when that is impossible now: the disk is full or read-only, or the
 * lock is taken, perhaps by a sidecar that was killed. The page does not wait for it.
 */
export async function correct(session: Session, thorough: boolean): Promise<Session | null> {
  if (!needsCorrection(session)) return session;
  const { folder, name, dialect } = session;
  const place = { root: dirname(folder), dialectOf: () => dialect, isOurs: true };
  try {
    const write = async () => {
      const present = await readSession(place, name, null, thorough);
      if (!present || present.pending) return present ?? session;
      await updateStateFile(folder, (raw) => record(raw, present));
      if (present.settledNow && present.latest) tellEnd(name, present.latest);
      return present;
    };
    return await withSessionLock(folder, write, 0);
  } catch (error) {
    log.debug('sessions', 'What was found out could not be recorded yet.', { session: session.name, error });
    return null;
  }
}

function tellEnd(session: string, { number, outcome, reason, reason_code }: AttemptEntry): void {
  log.info('sessions', `The attempt is ${outcome}. ${reason ?? ''}`.trim(), { session, attempt: number, reason_code });
}

/** Leaves sessions without an attempt alone, unless their file says that they run. */
function needsCorrection({
  healed,
  file,
  facts,
  latest,
  settledNow,
  state,
  liveness,
  byHand,
  pending,
}: Session): boolean {
  if (file.kind !== 'whole' || pending) return false;
  // Its own sidecar keeps the file; two sidecars would correct each other for ever. But it may have none, as a job has.
  if (liveness.alive === 'elsewhere') return !latest?.outcome && !isAlive(state?.status);
  // Another pod on the same folder does not see runs by hand here.
  if (byHand) return settledNow;
  if (settledNow) return true;
  if (state?.status === facts.status) return false;
  return healed || (state?.attempts.length ?? 0) > 0 || isAlive(state?.status) || facts.queue !== null;
}

function record(raw: RawState, { facts, latest, settledNow }: Session): void {
  if (!latest && facts.interrupted && raw.status !== facts.status) raw.status_found = raw.status;
  raw.status = facts.status;
  if (facts.queue === null) delete raw.queue;
  if (facts.status === 'failed' && facts.reason) raw.error = facts.reason;
  // The words of another program stay.
  else if (facts.status !== 'failed' && latest) delete raw.error;
  if (settledNow && facts.results) raw.results = { ...(raw.results as object | undefined), ...facts.results };
  if (facts.completed_at) raw.completed_at = facts.completed_at;
  if (facts.status === 'completed' && facts.final_checkpoint) {
    raw.outputs = { ...(raw.outputs as object | undefined), final_checkpoint: facts.final_checkpoint };
  }
  if (!latest) return;
  // A runner without a sidecar began it.
  const isNew = !((raw.attempts ?? []) as AttemptEntry[]).some(({ id }) => id === latest.id);
  if (isNew && (raw.attempts === undefined || Array.isArray(raw.attempts)))
    raw.attempts = [...((raw.attempts as unknown[]) ?? []), latest];
  if (settledNow) editAttempt(raw, latest.id, latest);
}
