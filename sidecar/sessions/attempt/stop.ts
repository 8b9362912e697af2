import { logged } from '../../caught.js';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import { type Confirmation, endByHand } from '../byHand/end.js';
import { keepHandProgress } from '../byHand/keepProgress.js';
import { byHandIn } from '../byHand/runs.js';
import type { Outputs } from '../outputs/outputs.js';
import { dequeue } from '../queue/enqueue.js';
import { updateStateFile } from '../record/stateFile.js';
import { editAttempt } from '../record/uiState.js';
import type { Session } from '../status/session.js';
import type { Endings } from './endings.js';

/** The parts of the program that a stop needs. */
export type Stopping = { outputs: Outputs; endings: Endings };

/** A stop, with the confirmation that a training by hand needs. */
export type Stop = Confirmation & { when: 'now' | 'after-save' };

/**
 * Stops a training. The request is written down first, so that it outlives the sidecar; the end follows in the
 * background. One that waits in the queue is taken out of it. Throws a Problem when nothing runs, or when a training by hand runs and its end is not confirmed.
 */
export async function stopAttempt(trackside: Stopping, name: string, asked: Stop): Promise<Session> {
  const { outputs, endings } = trackside;
  const { when } = asked;
  const session = await outputs.read(name);
  const { latest, state, liveness } = session;
  if (session.facts.queue) return dequeue(trackside, name);
  if (session.byHand) return endHandRun(outputs, session, asked);
  const waits = session.pending && session.job !== null;
  if ((liveness.alive === 'no' && !waits) || !latest) {
    throw new Problem('not_running', `${name} is not running.`, { about: { session: name } });
  }
  if (when === 'after-save' && !state?.enable_checkpointing) {
    const message = 'This training saves no state folders, so there is nothing to wait for. Use Stop.';
    throw new Problem('saves_nothing', message);
  }
  if (when === 'after-save' && waits) {
    const message = 'It has not begun, so there is no save to wait for. Use Stop.';
    throw new Problem('saves_nothing', message);
  }
  // It is ending already; waiting for a save would undo that.
  if (when === 'after-save' && latest.stop_when === 'now') return session;
  endings.allowAfterSave(latest.id);
  const stop_requested_at = latest.stop_requested_at ?? new Date().toISOString();
  await updateStateFile(session.folder, (raw) => {
    editAttempt(raw, latest.id, { stop_requested_at, stop_when: when });
    if (when === 'now') raw.status = 'stopping';
  }).catch((error: unknown) => {
    // A full disk or a broken file is no reason to let it run on; another host is asked by a file, too.
    if (when !== 'now' || liveness.alive !== 'here') throw error;
    log.warn('sessions', 'The stop could not be recorded.', { session: name, error });
  });
  log.info('sessions', when === 'now' ? 'Stop.' : 'Stop after the next save.', {
    session: name,
    attempt: latest.number,
  });
  if (when === 'now') void endings.end(name, latest.id);
  return outputs.read(name);
}

/**
 * Cancels a stop after the next checkpoint. Changes nothing without such a stop. Throws a Problem when the training is
 * ending already.
 */
export async function keepTraining({ outputs, endings }: Stopping, name: string): Promise<Session> {
  const { folder, latest, liveness } = await outputs.read(name);
  if (!latest?.stop_requested_at || liveness.alive === 'no') return outputs.read(name);
  if (latest.stop_when !== 'after-save' || endings.isEnding(latest.id)) {
    const message = `${name} is already stopping, which can't be undone. Resume it once it has stopped.`;
    throw new Problem('being_stopped', message, { about: { session: name } });
  }
  endings.forbidAfterSave(latest.id);
  log.info('sessions', 'The stop after the next save was cancelled.', { session: name, attempt: latest.number });
  const nothing = { stop_requested_at: null, stop_when: null };
  await updateStateFile(folder, (raw) => editAttempt(raw, latest.id, nothing));
  return outputs.read(name);
}

/**
 * Ends a stalled attempt, so that it can be resumed; `stalled` becomes its reason. Does nothing if it has ended, or was
 * asked to stop, meanwhile.
 */
export async function endStalled(
  { outputs, endings }: Stopping,
  name: string,
  { attempt, ...stall }: { attempt: string; stalled: string; reason_code: string },
): Promise<void> {
  const { latest, liveness, folder } = await outputs.read(name);
  const isOurs = liveness.alive === 'here' || liveness.alive === 'job';
  if (!isOurs || latest?.id !== attempt || latest.stop_requested_at) return;
  log.info('sessions', stall.stalled, { session: name, attempt: latest.number });
  await updateStateFile(folder, (raw) => {
    editAttempt(raw, attempt, stall);
    raw.status = 'stopping';
  });
  await endings.end(name, attempt);
}

async function endHandRun(outputs: Outputs, session: Session, confirmation: Confirmation): Promise<Session> {
  const run = byHandIn(session.folder, true);
  const about = { session: session.name };
  if (!run) throw new Problem('not_running', `${session.name} is no longer running.`, { about });
  const failed = logged('sessions', 'The session could not be read again.', session.name);
  const refresh = () => void outputs.refresh(session.name).catch(failed);
  // What was kept at the last look may be two seconds old, or nothing yet.
  await keepHandProgress(session.folder, session.facts.progress).catch(
    logged('by-hand', 'The progress could not be kept.', session.name),
  );
  endByHand(run, confirmation, refresh);
  refresh();
  return { ...session, facts: { ...session.facts, status: 'stopping' } };
}
