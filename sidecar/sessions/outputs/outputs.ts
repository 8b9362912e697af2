import { join } from 'node:path';
import { logged, unlessGivenUp } from '../../caught.js';
import { makeRoot } from '../../files/makeRoot.js';
import { liveness } from '../../launchers/liveness.js';
import { noteOwnEnd } from '../../launchers/podEnd.js';
import type { Hub } from '../../live/hub.js';
import { Problem } from '../../problem.js';
import { realInside } from '../../security/paths.js';
import type { Stillness } from '../../telemetry/progress.js';
import type { SessionFacts } from '../facts.js';
import { isSessionName } from '../names.js';
import type { SessionsPlace } from '../status/evidence.js';
import type { Session } from '../status/session.js';
import { readRest, scanFirst } from './firstScan.js';
import { isResting, type KnownFacts, readKnownFacts, writeKnownFacts } from './knownFacts.js';
import { type ConsoleListener, createReading } from './reading.js';
import { scanRepeatedly } from './scan.js';
import { createStore, type Marks } from './store.js';

/** The interval for writing the facts of sessions at rest, after changes; also written at the end. */
const REMEMBER_MS = 300_000;
/** A session that ended within this time may have ended with the pod. */
const LATELY_MS = 10_000;

/** All sessions of an outputs folder, as they are now. */
export type Outputs = {
  root: string;
  /** A counter of changes to `list`. */
  revision(): number;
  /** Running ones first, then newest first. Checks the running ones again. */
  list(): Promise<SessionFacts[]>;
  /** A session's folder, unread. Throws a Problem if there is none, or it leads out. */
  folder(name: string): Promise<string>;
  /** Reads one session again. Throws a Problem if there is none. */
  read(name: string): Promise<Session>;
  /** Reads one session again, corrects its file, and informs watchers. Null if there is none. */
  refresh(name: string): Promise<Session | null>;
  /** A session's facts in memory, without reading the disk. */
  facts(name: string): SessionFacts | null;
  /** Adds this process's own knowledge to a session's facts, until changed. */
  mark(name: string, marks: Marks): void;
  /** Reads and keeps the length of a running session's standstill, over restarts of the sidecar. */
  stillness(name: string): Stillness | null;
  keepStillness(name: string, still: Stillness): void;
  /** Subscribes to the console events of all running sessions: saves, steps, phases. */
  onConsole(listener: ConsoleListener): () => void;
  /** Sessions whose logs are followed. */
  followed(): string[];
  /** Folds in the whole log of a running session so far. */
  catchUp(name: string): Promise<void>;
  /** Reads sessions whole that were only summarised so far (see `SessionFacts.looked_into`). */
  lookInto(names: readonly string[]): Promise<void>;
  /** Begins to watch the folder; resolves when the list is ready, perhaps with summaries only. */
  open(): Promise<void>;
  /** Notes beside living attempts that this sidecar got SIGTERM: perhaps they do too, from the pod. */
  toldToEnd(): Promise<void>;
  /** Ends the watching. Trainings are not touched. */
  close(): Promise<void>;
};

export function openOutputs(deps: SessionsPlace & { build: string; hub: Hub }): Outputs {
  const { root, build, hub, dialectOf } = deps;
  const held = createStore(hub);
  const reading = createReading({ root, hub, held, dialectOf });
  let known: KnownFacts = new Map();
  let remembered = { revision: -1, at: performance.now() };
  /** The first scan: the list is complete only after it. */
  let opening: Promise<void> = Promise.resolve();
  let endLooking = async () => {};
  let closed = false;

  async function refresh(name: string): Promise<Session | null> {
    return reading.read(name);
  }

  async function readFirst(): Promise<void> {
    await makeRoot(root);
    known = await readKnownFacts(root, build);
    await scanFirst({ root, held, reading, known });
  }

  /** Writes the facts of sessions at rest, for the next start. */
  async function remember(): Promise<void> {
    if (held.revision() === remembered.revision) return;
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
    revision: held.revision,
    async list() {
      await opening;
      for (const { name, follower } of held.all()) {
        if (follower && liveness(join(root, name)).alive === 'no')
          await refresh(name).catch(logged('sessions', 'The session could not be read again.', name));
      }
      return held.inOrder().map(({ facts }) => facts);
    },
    async folder(name) {
      const folder = join(root, name);
      if (!isSessionName(name) || !(await realInside(root, folder))) throw noSession(name);
      return folder;
    },
    async read(name) {
      if (isSessionName(name)) await realInside(root, join(root, name));
      const session = await reading.read(name, true);
      if (!session) throw noSession(name);
      return session;
    },
    refresh,
    facts: (name) => held.get(name)?.facts ?? null,
    mark: held.mark,
    stillness: (name) => held.get(name)?.follower?.progress().still ?? null,
    keepStillness: (name, still) => held.get(name)?.follower?.keepStillness(still),
    onConsole: reading.onConsole,
    followed: () => [...held.all()].flatMap(({ name, follower }) => (follower ? [name] : [])),
    async catchUp(name) {
      await held.get(name)?.follower?.catchUp();
    },
    async lookInto(names) {
      await reading.readAll(names.filter((name) => held.get(name)?.facts.looked_into === false));
    },
    async open() {
      // Given up, the scans that follow find everything, too.
      opening = unlessGivenUp(readFirst());
      await opening;
      void readRest({ root, held, reading, known }, () => closed);
      endLooking = scanRepeatedly({ root, held, reading }, () => {
        if (performance.now() - remembered.at > REMEMBER_MS) void remember();
      });
    },
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
