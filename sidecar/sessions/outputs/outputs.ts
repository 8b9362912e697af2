import { join } from 'node:path';
import { logged, unlessGivenUp } from '../../caught.js';
import { answers, requireAnswer } from '../../files/answers.js';
import { makeRoot } from '../../files/makeRoot.js';
import { liveness } from '../../launchers/liveness.js';
import { noteOwnEnd } from '../../launchers/podEnd.js';
import type { Hub } from '../../live/hub.js';
import type { Notices } from '../../live/notices.js';
import { Problem } from '../../problem.js';
import { isOwnFolder, realInside } from '../../security/paths.js';
import type { Stillness } from '../../telemetry/progress.js';
import type { SessionFacts } from '../facts.js';
import { isSessionName } from '../names.js';
import type { SessionsPlace } from '../status/evidence.js';
import type { Session } from '../status/session.js';
import { watchEmptied } from './emptied.js';
import { readRest, scanFirst } from './firstScan.js';
import { isResting, type KnownFacts, readKnownFacts, writeKnownFacts } from './knownFacts.js';
import { createReading } from './reading.js';
import { watchRoot } from './root.js';
import { scanRepeatedly } from './scan.js';
import { createStore } from './store.js';

/** The interval for writing the facts of sessions at rest, after changes; also written at the end. */
const REMEMBER_MS = 300_000;
/** A session that ended within this time may have ended with the pod. */
const LATELY_MS = 10_000;

export type Outputs = ReturnType<typeof openOutputs>;

/**
 * All sessions of an outputs folder, as they are now.
 *
 * @param deps `memory`: a file outside of it, see `watchEmptied`
 */
export function openOutputs(deps: SessionsPlace & { build: string; hub: Hub; notices: Notices; memory: string }) {
  const { root, build, hub, notices, memory } = deps;
  const held = createStore(hub);
  const place = watchRoot(root, notices);
  const emptied = watchEmptied(root, memory, notices);
  const reading = createReading({ ...deps, held });
  let known: KnownFacts = new Map();
  let remembered = { revision: -1, at: performance.now() };
  /** The first scan: the list is complete only after it. */
  let opening: Promise<void> = Promise.resolve();
  let endLooking = async () => {};
  let closed = false;

  /** Reads one session again, corrects its file, and informs watchers. Null if there is none. */
  const refresh = (name: string): Promise<Session | null> => reading.read(name);

  async function readFirst(): Promise<void> {
    // Told on the page; the scans that follow find everything once it answers.
    if (!(await answers(root))) return void (await place.look([]));
    await emptied.lookFirst();
    await makeRoot(root);
    await place.remember();
    known = await readKnownFacts(root, build);
    await scanFirst({ root, held, reading, known });
  }

  /** Writes the facts of sessions at rest, for the next start. */
  async function remember(): Promise<void> {
    if (held.revision() === remembered.revision || place.isLost()) return;
    remembered = { revision: held.revision(), at: performance.now() };
    const resting: KnownFacts = new Map();
    for (const { name, follower, facts, signature } of held.all()) {
      const earlier = known.get(name);
      if (!follower && isResting(facts)) resting.set(name, { signature, facts });
      // Not looked into yet: the earlier facts may still be good the next time.
      else if (!facts.looked_into && earlier) resting.set(name, earlier);
    }
    await writeKnownFacts(root, build, resting);
  }

  return {
    root,
    /** A counter of changes to `list`. */
    revision: held.revision,
    /** Running ones first, then newest first. Checks the running ones again. */
    async list(): Promise<SessionFacts[]> {
      await opening;
      const running = [...held.all()].filter(({ follower }) => follower);
      for (const { name } of running.length > 0 && (await answers(root)) ? running : []) {
        if (liveness(join(root, name)).alive === 'no')
          await refresh(name).catch(logged('sessions', 'The session could not be read again.', name));
      }
      return held.inOrder().map(({ facts }) => facts);
    },
    /** A session's folder, unread. Throws a Problem if there is none, or it leads out. */
    async folder(name: string): Promise<string> {
      const folder = join(root, name);
      place.require();
      await requireAnswer(root);
      if (!isSessionName(name) || !(await realInside(root, folder))) throw noSession(name);
      return folder;
    },
    /**
     * Reads one session again, unless a reading for its page holds all that was told until `asOf` (`performance.now()`).
     * Throws a Problem if there is none.
     */
    async read(name: string, asOf = Number.POSITIVE_INFINITY): Promise<Session> {
      place.require();
      const shown = reading.shown.take(name, asOf);
      if (shown) return shown;
      await requireAnswer(root);
      const folder = join(root, name);
      // A folder of its own is inside; a link may lead out, which is refused.
      if (isSessionName(name) && !(await isOwnFolder(folder))) await realInside(root, folder);
      const session = await reading.read(name, true);
      if (!session) throw noSession(name);
      return session;
    },
    refresh,
    /** Says that a page of a session is open, which is read whole from now on; returns a function that ends it. */
    openPage: reading.shown.open,
    /** A session's facts in memory, without reading the disk. */
    facts: (name: string): SessionFacts | null => held.get(name)?.facts ?? null,
    /** Adds this process's own knowledge to a session's facts, until changed. */
    mark: held.mark,
    /** Reads and keeps the length of a running session's standstill, over restarts of the sidecar. */
    stillness: (name: string): Stillness | null => held.get(name)?.follower?.progress().still ?? null,
    keepStillness: (name: string, still: Stillness) => held.get(name)?.follower?.keepStillness(still),
    /** Notes the memory in use on a running session's fullest GPU, in bytes; the most is kept. */
    keepGpuMemory: (name: string, bytes: number) => held.get(name)?.follower?.keepGpuMemory(bytes),
    onConsole: reading.onConsole,
    /** The ids of all attempts that live in sessions. */
    living: held.living,
    /** Throws a Problem while the outputs folder is gone, or another one: nothing is made or started in its place. */
    requireRoot: place.require,
    /** Sessions whose logs are followed. */
    followed: () => [...held.all()].flatMap(({ name, follower }) => (follower ? [name] : [])),
    /** Folds in the whole log of a running session so far. */
    async catchUp(name: string) {
      await held.get(name)?.follower?.catchUp();
    },
    /** Reads sessions whole that were only summarised so far (see `SessionFacts.looked_into`). */
    async lookInto(names: readonly string[]) {
      await reading.readAll(names.filter((name) => held.get(name)?.facts.looked_into === false));
    },
    /** Begins to watch the folder; resolves when the list is ready, perhaps with summaries only. */
    async open() {
      // Given up, the scans that follow find everything, too.
      opening = unlessGivenUp(readFirst());
      await opening;
      void readRest({ root, held, reading, known }, () => closed);
      endLooking = scanRepeatedly({ root, held, reading, place }, () => {
        if (performance.now() - remembered.at > REMEMBER_MS) void remember();
        void emptied.look(held.size());
      });
    },
    /** Notes beside living attempts that this sidecar got SIGTERM: perhaps they do too, from the pod. */
    async toldToEnd() {
      const again: string[] = [];
      for (const { name, facts, follower } of held.all()) {
        const endedAt = Date.parse(facts.attempts.at(-1)?.ended_at ?? '');
        const lately = facts.status === 'stopped' && Math.abs(Date.now() - endedAt) < LATELY_MS;
        if (!follower && !lately) continue;
        noteOwnEnd(join(root, name));
        // It counts as stopped by hand, but the pod may have stopped it.
        if (lately) again.push(name);
      }
      await reading.readAll(again);
    },
    /** Ends the watching. Trainings are not touched. */
    async close() {
      closed = true;
      const ending = reading.close();
      await endLooking();
      await remember();
      await ending;
    },
  };
}

function noSession(name: string): Problem {
  return new Problem('no_session', `There is no session called ${name}.`, { about: 'sessions' });
}
