import { launcherOf } from '../../launchers/launchers.js';
import { Problem } from '../../problem.js';
import type { ConsoleEvent } from '../../trainers/dialect.js';
import { type Confirmation, endByHand } from '../byHand/end.js';
import { byHandIn } from '../byHand/runs.js';
import type { Outputs } from '../outputs/outputs.js';
import { updateStateFile } from '../record/stateFile.js';
import { editAttempt } from '../record/uiState.js';
import { isLastSave, saveUnderWay } from '../status/saveUnderWay.js';
import type { Session } from '../status/session.js';

/** A save that is in progress may end before the trainer is told to: bounded, for a disk may hang. */
const SAVE_PATIENCE_MS = 60_000;
/** A trainer that has saved all it had to may end by itself. */
const LEAVING_PATIENCE_MS = 10_000;
/** Its state is saved, or, where none was to come, the training goes on. */
const ENDS_OF_A_SAVE = ['state-saved', 'step', 'epoch', 'sampling'] as const;

export type Stopping = {
  /**
   * Records that the end was asked for, and sees to it in the background. Throws a Problem when nothing runs, or
   * when what runs was started by hand and its end is not confirmed.
   */
  request(name: string, when: 'now' | 'after-save', confirmation?: Confirmation): Promise<Session>;
  /**
   * Takes back that it is to stop after the next checkpoint. Changes nothing where that was not asked for. Throws a
   * Problem when it is being ended already.
   */
  keepTraining(name: string): Promise<Session>;
  /**
   * Ends an attempt in which nothing moves any more, so that it can be resumed; `words` are what is said of it. Does
   * nothing where it has ended, or somebody has asked for its end, meanwhile.
   */
  endStalled(name: string, attempt: string, words: string): Promise<void>;
  /** Takes up the stops that an earlier sidecar had begun. */
  takeUp(): Promise<void>;
};

/**
 * Stops trainings: a request is written down first, so that it outlives the sidecar; a save in progress is let through;
 * then the attempt's processes are ended and looked for until none is left.
 */
export function createStopping(outputs: Outputs): Stopping {
  /** Attempts that are being ended at this moment. */
  const ending = new Set<string>();
  /** Attempts that are not to stop after the next save any more, whatever was read of them a moment ago. */
  const takenBack = new Set<string>();

  async function request(name: string, when: 'now' | 'after-save', confirmation: Confirmation = {}): Promise<Session> {
    const session = await outputs.read(name);
    const { latest, state, liveness } = session;
    if (liveness.alive === 'elsewhere') {
      throw new Problem(
        'elsewhere',
        `It runs on ${liveness.hostname}, which this Trackside can't reach. Stop it there.`,
      );
    }
    if (session.byHand) return endHandRun(session, confirmation);
    if (liveness.alive === 'no' || !latest) {
      throw new Problem('not_running', `${name} is not running.`, {
        about: { session: name },
      });
    }
    if (when === 'after-save' && !state?.enable_checkpointing) {
      throw new Problem('saves_nothing', 'This training saves no state to wait for. Use Stop.');
    }
    // It is being ended already; waiting for a save now would take that back.
    if (when === 'after-save' && latest.stop_when === 'now') return session;
    takenBack.delete(latest.id);
    const stop_requested_at = latest.stop_requested_at ?? new Date().toISOString();
    await updateStateFile(session.folder, (raw) => {
      editAttempt(raw, latest.id, { stop_requested_at, stop_when: when });
      if (when === 'now') raw.status = 'stopping';
    }).catch((error: unknown) => {
      // A full disk or a spoiled file is no reason to let it run on.
      if (when !== 'now') throw error;
    });
    if (when === 'now') void end(name, latest.id);
    return outputs.read(name);
  }

  function endHandRun(session: Session, confirmation: Confirmation): Session {
    const run = byHandIn(session.folder, true);
    const about = { session: session.name };
    if (!run) throw new Problem('not_running', `${session.name} is not running any more.`, { about });
    endByHand(run, confirmation, () => void outputs.refresh(session.name).catch(() => {}));
    void outputs.refresh(session.name).catch(() => {});
    return { ...session, facts: { ...session.facts, status: 'stopping' } };
  }

  async function keepTraining(name: string): Promise<Session> {
    const { folder, latest, liveness } = await outputs.read(name);
    if (!latest?.stop_requested_at || liveness.alive !== 'here') return outputs.read(name);
    if (latest.stop_when !== 'after-save' || ending.has(latest.id)) {
      throw new Problem(
        'being_stopped',
        `${name} is being stopped already, which can't be taken back. Resume it once it has ended.`,
        { about: { session: name } },
      );
    }
    takenBack.add(latest.id);
    const nothing = { stop_requested_at: null, stop_when: null };
    await updateStateFile(folder, (raw) => editAttempt(raw, latest.id, nothing));
    return outputs.read(name);
  }

  async function endStalled(name: string, attempt: string, words: string): Promise<void> {
    const { latest, liveness, folder } = await outputs.read(name);
    if (liveness.alive !== 'here' || latest?.id !== attempt || latest.stop_requested_at) return;
    await updateStateFile(folder, (raw) => {
      editAttempt(raw, attempt, { stalled: words });
      raw.status = 'stopping';
    });
    await end(name, attempt);
  }

  /** Who survives is told on the page, by the attempt's record. Never rejects. */
  async function end(name: string, attempt: string): Promise<void> {
    if (ending.has(attempt)) return;
    ending.add(attempt);
    try {
      const { folder, latest } = await outputs.read(name);
      const ref = latest?.id === attempt ? latest.job : null;
      await saveEnds(name);
      const cancelled = await launcherOf(ref).cancel({ attempt, folder, ref }, 'end');
      const survivors = typeof cancelled === 'object' ? cancelled.remain : [];
      if (survivors.length > 0) await updateStateFile(folder, (raw) => editAttempt(raw, attempt, { survivors }));
    } catch (error) {
      console.error(`trackside: ${name} could not be stopped: ${(error as Error).message}`);
    } finally {
      ending.delete(attempt);
      await outputs.refresh(name).catch(() => {});
    }
  }

  /**
   * Resolves when what is being saved is whole, or when waiting has been long enough. After the last save nothing is left
   * to be stopped: the trainer is let go by itself.
   */
  async function saveEnds(name: string): Promise<void> {
    await outputs.catchUp(name);
    const session = await outputs.read(name);
    const save = saveUnderWay(session, session.state?.enable_checkpointing ?? false);
    if (save === 'one of many') await heard(name, ENDS_OF_A_SAVE, SAVE_PATIENCE_MS);
    if (save === 'the last') await heard(name, ['finished'], SAVE_PATIENCE_MS);
    if (save === 'the last' || save === 'leaving') await heard(name, [], LEAVING_PATIENCE_MS);
  }

  /** Resolves when its console says one of these, when it has ended, or after so many milliseconds. */
  async function heard(name: string, types: readonly ConsoleEvent['type'][], patience: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const leave = outputs.onConsole((speaker, events) => {
        if (speaker === name && events.some(({ type }) => types.includes(type))) done();
      });
      const unheard = setInterval(() => {
        void outputs.read(name).then(
          (session) => session.liveness.alive === 'no' && done(),
          () => done(),
        );
      }, 1000);
      const timer = setTimeout(done, patience);
      function done(): void {
        clearTimeout(timer);
        clearInterval(unheard);
        leave();
        resolve();
      }
    });
  }

  async function afterSave(name: string, events: ConsoleEvent[]): Promise<void> {
    if (!events.some((event) => event.type === 'state-saved')) return;
    const session = await outputs.read(name);
    const { folder, latest, liveness } = session;
    if (latest?.stop_when !== 'after-save' || liveness.alive !== 'here' || takenBack.has(latest.id)) return;
    // The final weights are still to come, and then it ends by itself.
    if (isLastSave(session)) return;
    const ended = end(name, latest.id);
    // For a sidecar that takes this one's place; the end does not wait for the disk, or it would cost steps.
    await updateStateFile(folder, (raw) => {
      editAttempt(raw, latest.id, { stop_when: 'now' });
      raw.status = 'stopping';
    }).catch(() => {});
    await ended;
  }

  outputs.onConsole((name, events) => void afterSave(name, events).catch(() => {}));

  return {
    request,
    keepTraining,
    endStalled,
    async takeUp() {
      for (const facts of await outputs.list()) {
        if (facts.status !== 'stopping') continue;
        void outputs
          .read(facts.name)
          .then(({ latest }) => latest && end(facts.name, latest.id))
          .catch(() => {});
      }
    },
  };
}
