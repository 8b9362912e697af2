import { join } from 'node:path';
import { repeated } from '../../caught.js';
import { answers } from '../../files/answers.js';
import { beatForRunner } from '../../launchers/heartbeat.js';
import { liveness } from '../../launchers/liveness.js';
import { sessionFolders } from '../names.js';
import { recordIn, takeFingerprints } from './fingerprints.js';
import type { Reading } from './reading.js';
import type { Root } from './root.js';
import type { Store } from './store.js';

/** The interval of scans: other programs, other pods and people change files too. */
const LOOK_MS = 600;
/** The longest interval, with thousands of sessions: scans take a twelfth of one core at most. */
const LONGEST_LOOK_MS = 1300;
const SHARE = 12;
/** Sessions that each scan reads again without a sign of change: deep changes have none. */
const REREAD = 5;

/**
 * Scans all session folders repeatedly, and reads changed ones. inotify does not see another pod's changes on a shared
 * volume. Calls `afterwards` after each scan. Returns a function that ends it.
 */
export function scanRepeatedly(place: Place, afterwards: () => void): () => Promise<void> {
  let timer: NodeJS.Timeout;
  let looking: Promise<void> = Promise.resolve();
  let ended = false;
  let round = 0;
  /** Milliseconds of work in the last scan. */
  let worked = 0;
  const lookOnce = repeated('outputs', async () => {
    worked = 0;
    worked = await look(place, round, () => ended);
  });

  function lookIn(ms: number): void {
    if (ended) return;
    timer = setTimeout(() => {
      const begun = performance.now();
      looking = lookOnce().then(() => {
        round += 1;
        // Last: nothing keeps the next scan from coming.
        setImmediate(afterwards);
        const every = Math.min(LONGEST_LOOK_MS, Math.max(LOOK_MS, worked * SHARE));
        lookIn(Math.max(0, every - (performance.now() - begun)));
      });
    }, ms);
    timer.unref();
  }

  lookIn(LOOK_MS);
  return async () => {
    ended = true;
    clearTimeout(timer);
    await looking;
  };
}

type Place = { root: string; held: Store; reading: Reading; place: Root };

/** Scans once; resolves to the milliseconds of work, without waits. */
async function look({ root, held, reading, place }: Place, round: number, isOver: () => boolean): Promise<number> {
  const isThere = await place.look([...held.all()].map(({ name }) => name));
  // What does not answer is not gone.
  if (!isThere && !(await answers(root))) return 0;
  const names = isThere ? await sessionFolders(root) : [];
  const there = new Set(names);
  for (const { name } of [...held.all()]) if (!there.has(name)) await reading.lose(name);
  const stale: string[] = [];
  const take = (name: string, signature: string) => {
    if (isStale(root, held, name, signature)) stale.push(name);
  };
  const worked = await takeFingerprints(root, names, take, { restful: true, isOver });
  const again = Array.from(
    { length: Math.min(REREAD, names.length) },
    (_, index) => names[(round * REREAD + index) % names.length] as string,
  );
  await reading.readAll(stale);
  const unchanged = again.filter((name) => !stale.includes(name));
  await reading.readAll(unchanged, { thorough: false });
  return worked;
}

/** Must a session be read (again)? */
function isStale(root: string, held: Store, name: string, signature: string): boolean {
  const folder = join(root, name);
  const present = held.get(name);
  if (!present) return true;
  // Not read yet, on a slow disk: it is read whole in its turn.
  if (present.signature === '') return false;
  // The sidecar that was about to start it may have died.
  if (present.facts.status === 'pending' && !present.facts.queue && !present.facts.attempts.at(-1)?.job) return true;
  if (!present.follower) return present.signature !== signature;
  const life = liveness(folder);
  if (life.alive === 'here' && life.by !== 'runner') beatForRunner(folder);
  // A running session's folder changes with every write of progress.json: only its record counts.
  return life.alive === 'no' || recordIn(present.signature) !== recordIn(signature);
}
