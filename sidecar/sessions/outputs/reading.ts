import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ended, ifMissing, ifUnreadable, logged, unlessGivenUp } from '../../caught.js';
import { mayHang, mountedIn, requireAnswer } from '../../files/answers.js';
import { isTemporary, sweepTemporary } from '../../files/wholeFile.js';
import { liveness } from '../../launchers/liveness.js';
import type { Hub } from '../../live/hub.js';
import type { Notices } from '../../live/notices.js';
import { type Follower, followAttempt } from '../../telemetry/follow.js';
import { type Progress, publicProgress, readProgress } from '../../telemetry/progress.js';
import type { ConsoleEvent } from '../../trainers/console.js';
import type { AttemptFacts, SessionFacts } from '../facts.js';
import { isSessionName } from '../names.js';
import { putBackLastGood } from '../record/putBack.js';
import type { AttemptEntry } from '../record/uiState.js';
import { isAlive } from '../status/alive.js';
import { attemptProgress, beginningOf } from '../status/attempts.js';
import { correct } from '../status/correct.js';
import type { SessionsPlace } from '../status/evidence.js';
import { readSession, type Session } from '../status/session.js';
import { fingerprintLater, fingerprintOf } from './fingerprints.js';
import { pictureElsewhere } from './pictureElsewhere.js';
import { createShown } from './shown.js';
import type { Store } from './store.js';

/** The number of simultaneous readings. */
const READERS = 8;
/** The longest wait of a reading for its log. */
const CATCH_UP_MS = 300;
/** The wait before a file is corrected again. */
const CORRECT_AGAIN_MS = 1000;

/** The wait for another session with its attempt, and for how long the loss is told. */
const LOST_AFTER_MS = 5000;
const LOST_SECONDS = 3600;
const LATELY_MS = 20_000;

const NOT_READ = 'The session could not be read.';

type HowToRead = { isEnough?: () => boolean; thorough?: boolean };

export type ConsoleListener = (name: string, events: ConsoleEvent[]) => void;

export type Reading = ReturnType<typeof createReading>;

/** Reads sessions whole, stores the results, and follows the logs of living ones. */
export function createReading(deps: SessionsPlace & { hub: Hub; notices: Notices; held: Store }) {
  const { root, hub, notices, held } = deps;
  /** The latest reading of each session; and the readings that have not begun. */
  const turns = new Map<string, Promise<unknown>>();
  const waiting = new Map<string, Promise<Session | null>>();
  const shown = createShown();
  const listeners = new Set<ConsoleListener>();
  /** When each session was last seen to live, by the monotonic clock. */
  const lived = new Map<string, number>();
  let closed = false;

  /**
   * Reads one session again, and corrects its file by the evidence; null if there is none. Once at a time, in order; calls
   * share a reading that has not begun. Whole, as its page needs it, while one is open.
   */
  function read(name: string, thorough = shown.has(name)): Promise<Session | null> {
    const key = `${thorough} ${name}`;
    const shared = waiting.get(key);
    if (shared) return shared;
    const turn = unlessGivenUp(ended(turns.get(name))).then(() => {
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
    await requireAnswer(root);
    const elsewhere = mountedIn(root).has(name);
    if (elsewhere) await requireAnswer(folder);
    // A renamed folder may have left a link at its old name: the session is where the folder is.
    if (!(await lstat(folder).catch(ifMissing(null)))?.isDirectory()) {
      await lose(name);
      return null;
    }
    const signature = elsewhere || mayHang(root) ? await fingerprintLater(folder) : fingerprintOf(folder);
    const before = held.get(name);
    let follower = before?.follower ?? null;
    // The last lines of a trainer that has just ended belong to its facts.
    if (before && follower && liveness(folder).alive === 'no') {
      await follower.close();
      follower = before.follower = null;
    }
    const known = follower?.progress() ?? null;
    let session = await readSession(deps, name, known, thorough);
    if (!session) {
      await lose(name);
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
      // The first facts include the log so far, unless reading takes long.
      await Promise.race([follower.catchUp(), wait(CATCH_UP_MS)]);
    }
    // The console may have continued during the reading: progress never goes back.
    if (follower) session = { ...session, facts: withProgress(session.facts, follower) };
    held.hold({ name, facts: session.facts, signature, attempt, follower });
    if (thorough) shown.keep(session);
    if (!follower || attempt === null) return session;
    lived.set(name, performance.now());
    notices.end(lostAs(attempt));
    return session;
  }

  async function lose(name: string): Promise<void> {
    const before = held.get(name);
    if (!before) return;
    await before.follower?.close();
    held.drop(name);
    const { attempt } = before;
    const lately = performance.now() - (lived.get(name) ?? Number.NEGATIVE_INFINITY) < LATELY_MS;
    lived.delete(name);
    // A removal takes the runner's record first: then it reads as interrupted for a moment.
    const { status, interrupted } = before.facts;
    const trained = before.follower || isAlive(status) || (interrupted && lately);
    if (!trained || attempt === null) return;
    const tell = () => {
      // Renamed, it is another session by now, which may have ended since.
      const isHere = [...held.all()].some(({ attempt: its, facts }) => its === attempt && facts.copy_of === null);
      if (!isHere) notices.tell(lostAs(attempt), lostWords(name), LOST_SECONDS);
    };
    setTimeout(tell, LOST_AFTER_MS).unref();
  }

  function follow({ name, folder, state, dialect, facts }: Session, entry: AttemptEntry): Follower {
    const step = {
      side: state?.resolution ?? undefined,
      batch: Number(state?.arguments.train_batch_size) || undefined,
    };
    const samplings = dialect.samples.plan?.(entry.argv, state?.sample_prompts ?? '', step) ?? null;
    const progress = attemptProgress(entry, readProgress(folder), state?.max_train_epochs ?? null);
    if (samplings && progress.seconds_per_picture === null)
      progress.picture_elsewhere ??= pictureElsewhere(
        root,
        [...held.all()].map(({ facts }) => facts),
        { facts, plan: samplings, dialect },
      );
    return followAttempt({
      folder,
      console: dialect.console,
      beginning: beginningOf(entry),
      logStart: entry.log_start,
      begunAt: Date.parse(entry.started_at),
      samplings,
      progress,
      onText: (piece) => hub.tell({ type: 'log', name, ...piece }),
      onProgress(now, events) {
        const present = held.get(name);
        if (present) {
          const { status } = present.facts;
          const firstStep = status === 'starting' && now.begun;
          const progress = publicProgress(now);
          const attempts = withPeak(present.facts.attempts, progress);
          held.tellFacts(name, { ...present.facts, status: firstStep ? 'running' : status, progress, attempts });
          if (firstStep || events.some((event) => event.type !== 'step')) readLater(name);
        }
        for (const listener of listeners) listener(name, events);
      },
    });
  }

  return {
    read,
    lose,
    shown,
    /** Reads several, until `isEnough`. One unreadable folder must not hide the others. `thorough` as in `read`. */
    async readAll(names: readonly string[], { isEnough = () => false, thorough }: HowToRead = {}) {
      const rest = new Set(names).values();
      const readOn = async () => {
        for (const name of rest) {
          if (closed || isEnough()) return;
          await read(name, thorough).catch(logged('sessions', NOT_READ, name));
        }
      };
      await Promise.all(Array.from({ length: READERS }, readOn));
    },
    /** Subscribes to the console events of all running sessions: saves, steps, phases. */
    onConsole(listener: ConsoleListener): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** Stops following logs. */
    async close() {
      closed = true;
      await Promise.all([...held.all()].map(({ follower }) => follower?.close()));
    },
  };
}

function lostAs(attempt: string): string {
  return `lost ${attempt}`;
}

function lostWords(name: string): string {
  return `The folder of ${name} was removed, replaced or moved out of the outputs while it trained. Trackside ends a training whose folder is removed; one that goes on is listed under “Also running on this machine”, where it can be stopped.`;
}

function withProgress(facts: SessionFacts, follower: Follower): SessionFacts {
  const now = follower.progress();
  const begun = facts.status === 'starting' && now.begun;
  const progress = publicProgress(now);
  const attempts = withPeak(facts.attempts, progress);
  return { ...facts, status: begun ? 'running' : facts.status, progress, attempts };
}

/** The memory of the newest attempt's GPU as its follower knows it. */
function withPeak(attempts: AttemptFacts[], { peak_gpu_memory }: Progress): AttemptFacts[] {
  const last = attempts.at(-1);
  if (!last || last.peak_gpu_memory === peak_gpu_memory) return attempts;
  return [...attempts.slice(0, -1), { ...last, peak_gpu_memory }];
}
