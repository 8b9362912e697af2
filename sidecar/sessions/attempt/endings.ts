import { logged, repeatedly } from '../../caught.js';
import { launcherOf } from '../../launchers/launchers.js';
import { log } from '../../log.js';
import type { ConsoleEvent } from '../../trainers/console.js';
import type { Outputs } from '../outputs/outputs.js';
import { updateStateFile } from '../record/stateFile.js';
import { editAttempt } from '../record/uiState.js';
import { isLastSave } from '../status/saveUnderWay.js';
import { saveEnds } from './saveEnds.js';

/** The attempts that this process is ending; their files tell who asked for it. */
export type Endings = ReturnType<typeof createEndings>;

const TAKE_UP_MS = 2000;
const NOT_ENDED = 'The training could not be ended.';

/** Ends attempts: a save may finish, then the processes are ended and searched for until none is left. */
export function createEndings({ outputs }: { outputs: Outputs }) {
  const ending = new Set<string>();
  /** Attempts whose stop after the next save was taken back. */
  const takenBack = new Set<string>();

  /**
   * Waits for a save under way, then ends an attempt's processes; survivors go into the record. A second call meanwhile
   * does nothing. Never rejects.
   */
  async function end(name: string, attempt: string): Promise<void> {
    if (ending.has(attempt)) return;
    ending.add(attempt);
    try {
      const { folder, latest } = await outputs.read(name);
      const ref = latest?.id === attempt ? latest.job : null;
      await saveEnds(outputs, name);
      const cancelled = await launcherOf(ref).cancel({ attempt, folder, ref }, 'end');
      if (cancelled === 'unreachable')
        log.error('sessions', 'The request to stop did not reach it.', { session: name });
      const survivors = typeof cancelled === 'object' ? cancelled.remain : [];
      if (survivors.length > 0) await updateStateFile(folder, (raw) => editAttempt(raw, attempt, { survivors }));
    } catch (error) {
      log.error('sessions', NOT_ENDED, { session: name, error });
    } finally {
      ending.delete(attempt);
      await outputs.refresh(name).catch(logged('sessions', 'The session could not be read again.', name));
    }
  }

  async function afterSave(name: string, events: ConsoleEvent[]): Promise<void> {
    if (!events.some((event) => event.type === 'state-saved')) return;
    const session = await outputs.read(name);
    const { folder, latest, liveness } = session;
    if (latest?.stop_when !== 'after-save' || liveness.alive === 'no' || takenBack.has(latest.id)) return;
    // The final weights are still to come; then the trainer ends by itself.
    if (isLastSave(session)) return;
    const ended = end(name, latest.id);
    // For the next sidecar, should this one die. The end does not wait for the disk: that would cost steps.
    await updateStateFile(folder, (raw) => {
      editAttempt(raw, latest.id, { stop_when: 'now' });
      raw.status = 'stopping';
    }).catch(logged('sessions', 'The stop could not be recorded.', name));
    await ended;
  }

  const leave = outputs.onConsole(
    (name, events) => void afterSave(name, events).catch(logged('sessions', NOT_ENDED, name)),
  );

  /** Ends what another sidecar was asked to end, or an earlier one: its runner may be dead, or on another host. */
  async function takeUp(): Promise<void> {
    for (const { name, status, attempts } of await outputs.list()) {
      const latest = attempts.at(-1);
      if (status !== 'stopping' || !(latest?.alive || latest?.job)) continue;
      // Since it was listed it may have ended, and been resumed: the next attempt is not the one to stop.
      void outputs
        .read(name)
        .then(({ facts, latest }) => (latest && facts.status === 'stopping' ? end(name, latest.id) : undefined))
        .catch(logged('sessions', NOT_ENDED, name));
    }
  }

  const again = repeatedly('endings', TAKE_UP_MS, takeUp);
  return {
    end,
    isEnding: (attempt: string) => ending.has(attempt),
    /** Allows or forbids the end after the next save, against what was read of the attempt a moment ago. */
    allowAfterSave: (attempt: string) => void takenBack.delete(attempt),
    forbidAfterSave: (attempt: string) => void takenBack.add(attempt),
    /** Takes up the ends that other sidecars, or an earlier one, were asked for; again and again. */
    async open() {
      await takeUp();
      again.open();
    },
    close() {
      again.close();
      leave();
    },
  };
}
