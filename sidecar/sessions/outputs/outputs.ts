import { join } from 'node:path';
import { logged } from '../../caught.js';
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

/** What rests is written down so often, if anything changed, and at the end. */
const REMEMBER_MS = 300_000;
/** What ended so short a time ago may have ended with the pod. */
const LATELY_MS = 10_000;

/** All sessions of an outputs folder, as they are now. */
export type Outputs = {
  root: string;
  /** Counts every change of what `list` gives. */
  revision(): number;
  /** Running ones first, then newest first. Statuses of what runs are checked again at this moment. */
  list(): Promise<SessionFacts[]>;
  /** A session's folder, of which nothing is read. Throws a Problem where there is none, or it leads out. */
  folder(name: string): Promise<string>;
  /** Reads one session anew. Throws a Problem where there is none. */
  read(name: string): Promise<Session>;
  /** Reads one session anew, corrects its file, and tells who watches. Null where there is none. */
  refresh(name: string): Promise<Session | null>;
  /** What is held of a session, without a look at the disk. */
  facts(name: string): SessionFacts | null;
  /** Adds to a session's facts what only this process knows, until it says otherwise. */
  mark(name: string, marks: Marks): void;
  /** For how long a running session was last known to stand still, by an earlier sidecar too; and to keep that. */
  stillness(name: string): Stillness | null;
  keepStillness(name: string, still: Stillness): void;
  /** Hears what the console of any running session says: saves, steps, phases. */
  onConsole(listener: ConsoleListener): () => void;
  /** Sessions whose logs are followed. */
  followed(): string[];
  /** Folds in all that the log of a running session holds by now. */
  catchUp(name: string): Promise<void>;
  /** Reads those of these sessions whole that were only read in brief so far (see `SessionFacts.looked_into`). */
  lookInto(names: readonly string[]): Promise<void>;
  /** Begins to look after the folder; resolves when the list is ready, though much of it may be read in brief. */
  open(): Promise<void>;
  /** This sidecar was told to end by SIGTERM: it is written down beside what lives, for that may be told so too. */
  toldToEnd(): Promise<void>;
  /** Ends the looking. Trainings are not touched. */
  close(): Promise<void>;
};

export function openOutputs(deps: SessionsPlace & { build: string; hub: Hub }): Outputs {
  const { root, build, hub, dialectOf } = deps;
  const held = createStore(hub);
  const reading = createReading({ root, hub, held, dialectOf });
  let known: KnownFacts = new Map();
  let remembered = { revision: -1, at: performance.now() };
  /** The first look at everything: nobody is told a list before it is whole. */
  let opening: Promise<void> = Promise.resolve();
  let endLooking = async () => {};
  let closed = false;

  async function refresh(name: string): Promise<Session | null> {
    return reading.read(name);
  }

  /** Writes down what rests, for the next start. */
  async function remember(): Promise<void> {
    if (held.revision() === remembered.revision) return;
    remembered = { revision: held.revision(), at: performance.now() };
    const resting: KnownFacts = new Map();
    for (const { name, follower, facts, signature } of held.all()) {
      const earlier = known.get(name);
      if (!follower && isResting(facts)) resting.set(name, { signature, facts });
      // Not looked into yet: what was known is still worth a comparison the next time.
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
      opening = (async () => {
        await makeRoot(root);
        known = await readKnownFacts(root, build);
        await scanFirst({ root, held, reading, known });
      })();
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
        // Told as stopped by hand already, it may be the pod that stops it.
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
