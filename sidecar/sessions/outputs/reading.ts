import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ended, ifUnreadable, logged } from '../../caught.js';
import { isTemporary, sweepTemporary } from '../../files/wholeFile.js';
import { liveness } from '../../launchers/liveness.js';
import type { Hub } from '../../live/hub.js';
import { type Follower, followAttempt } from '../../telemetry/follow.js';
import { publicProgress, readProgress } from '../../telemetry/progress.js';
import type { ConsoleEvent } from '../../trainers/dialect.js';
import type { SessionFacts } from '../facts.js';
import { isSessionName } from '../names.js';
import { putBackLastGood } from '../record/putBack.js';
import type { AttemptEntry } from '../record/uiState.js';
import { attemptProgress, beginningOf } from '../status/attempts.js';
import { correct } from '../status/correct.js';
import type { SessionsPlace } from '../status/evidence.js';
import { readSession, type Session } from '../status/session.js';
import { fingerprintOf } from './fingerprints.js';
import type { Store } from './store.js';

/** Readings at the same time. */
const READERS = 8;
/** So long a reading waits for a log to be caught up with. */
const CATCH_UP_MS = 300;
/** A file that could not be corrected is tried again after this time. */
const CORRECT_AGAIN_MS = 1000;

const NOT_READ = 'The session could not be read.';

export type ConsoleListener = (name: string, events: ConsoleEvent[]) => void;

/** Reads sessions whole, holds what it found, and follows the logs of those that live. */
export type Reading = {
  /** One session, anew: its file is corrected where the evidence says otherwise. Null where there is none. */
  read(name: string, thorough?: boolean): Promise<Session | null>;
  /** Several, until it is enough. One folder that can't be read must not hide the others. */
  readAll(names: readonly string[], isEnough?: () => boolean): Promise<void>;
  /** Hears what the console of any running session says: saves, steps, phases. */
  onConsole(listener: ConsoleListener): () => void;
  /** Begins to follow no more logs, and lets go of those that are followed. */
  close(): Promise<void>;
};

export function createReading(deps: SessionsPlace & { hub: Hub; held: Store }): Reading {
  const { root, hub, held } = deps;
  /** The last reading that was asked for, of each session; and those that wait for their turn. */
  const turns = new Map<string, Promise<unknown>>();
  const waiting = new Map<string, Promise<Session | null>>();
  const listeners = new Set<ConsoleListener>();
  let closed = false;

  /** One reading of a session at a time, in the order asked for; who asks while one waits shares it. */
  function read(name: string, thorough = false): Promise<Session | null> {
    const key = `${thorough} ${name}`;
    const shared = waiting.get(key);
    if (shared) return shared;
    const turn = ended(turns.get(name)).then(() => {
      waiting.delete(key);
      return readNow(name, thorough);
    });
    waiting.set(key, turn);
    turns.set(name, turn);
    void ended(turn).then(() => {
      if (turns.get(name) === turn) turns.delete(name);
    });
    return turn;
  }

  function readLater(name: string): void {
    void read(name).catch(logged('sessions', NOT_READ, name));
  }

  async function readNow(name: string, thorough: boolean): Promise<Session | null> {
    if (!isSessionName(name)) return null;
    const folder = join(root, name);
    const signature = fingerprintOf(folder);
    const before = held.get(name);
    let follower = before?.follower ?? null;
    // The last words of a trainer that has just ended belong to its facts.
    if (before && follower && liveness(folder).alive === 'no') {
      await follower.close();
      follower = before.follower = null;
    }
    const known = follower?.progress() ?? null;
    let session = await readSession(deps, name, known, thorough);
    if (!session) {
      await follower?.close();
      held.drop(name);
      return null;
    }
    if (session.file.kind === 'unreadable' && (await putBackLastGood(folder).catch(ifUnreadable(null, 'sessions')))) {
      session = (await readSession(deps, name, known, thorough)) ?? session;
    }
    if (session.entries.some(isTemporary)) await sweepTemporary(folder);
    const corrected = await correct(session, thorough);
    if (!corrected && !closed) setTimeout(() => readLater(name), CORRECT_AGAIN_MS).unref();
    session = corrected ?? session;
    session = { ...session, facts: held.withMarks(name, session.facts) };
    const attempt = session.latest?.id ?? null;
    if (follower && before?.attempt !== attempt) {
      await follower.close();
      follower = null;
    }
    if (!follower && !closed && session.liveness.alive !== 'no' && session.latest) {
      follower = follow(session, session.latest);
      // What the log holds by now belongs to what is told first, unless it takes long to read.
      await Promise.race([follower.catchUp(), wait(CATCH_UP_MS)]);
    }
    // The console may have gone on while the folder was read: what is told never goes back.
    if (follower) session = { ...session, facts: withProgress(session.facts, follower) };
    held.hold({ name, facts: session.facts, signature, attempt, follower });
    return session;
  }

  function follow({ name, folder, state, dialect }: Session, entry: AttemptEntry): Follower {
    return followAttempt({
      folder,
      console: dialect.console,
      beginning: beginningOf(entry),
      logStart: entry.log_start,
      progress: attemptProgress(entry, readProgress(folder), state?.max_train_epochs ?? null),
      onText: (piece) => hub.tell({ type: 'log', name, ...piece }),
      onProgress(now, events) {
        const present = held.get(name);
        if (present) {
          const { status } = present.facts;
          const firstStep = status === 'starting' && now.begun;
          const progress = publicProgress(now);
          held.tellFacts(name, { ...present.facts, status: firstStep ? 'running' : status, progress });
          if (firstStep || events.some((event) => event.type !== 'step')) readLater(name);
        }
        for (const listener of listeners) listener(name, events);
      },
    });
  }

  return {
    read,
    async readAll(names, isEnough = () => false) {
      const rest = new Set(names).values();
      const readOn = async () => {
        for (const name of rest) {
          if (closed || isEnough()) return;
          await read(name).catch(logged('sessions', NOT_READ, name));
        }
      };
      await Promise.all(Array.from({ length: READERS }, readOn));
    },
    onConsole(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      await Promise.all([...held.all()].map(({ follower }) => follower?.close()));
    },
  };
}

function withProgress(facts: SessionFacts, follower: Follower): SessionFacts {
  const now = follower.progress();
  const begun = facts.status === 'starting' && now.begun;
  return { ...facts, status: begun ? 'running' : facts.status, progress: publicProgress(now) };
}
