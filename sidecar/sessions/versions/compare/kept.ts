import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifMissing, ifUnreadable } from '../../../caught.js';
import { signatureOf } from '../../../files/fileSignature.js';
import { Lru } from '../../../files/lru.js';
import { semaphore } from '../../../files/queue.js';
import type { SessionFacts } from '../../facts.js';
import { fingerprintOf } from '../../outputs/fingerprints.js';
import type { Outputs } from '../../outputs/outputs.js';
import type { Charts } from '../../products/chartFacts.js';
import { checkpointsOf } from '../../products/products.js';
import { isAliveOrPending } from '../../status/alive.js';
import type { Session } from '../../status/session.js';
import { type FoundSamples, readSamples } from './samples.js';

/** A session as it was read for a comparison. */
export type Kept = {
  session: Session;
  samples: FoundSamples;
  /** Bytes of its newest whole checkpoint, and of all of them. */
  weights: { newest: number | null; all: number };
  /** Curves that were drawn, by what was asked for; not for ever. */
  charts: Lru<Charts>;
};

type Remembered = Kept & { signature: string; at: number };

/** Sessions are read by so many at a time, by all that compare. */
export const reading = semaphore(16);
const MOST = 500;
/** Changes deep in a folder have no sign: what is older is read again. */
const OLDEST_MS = 60_000;
/** Ways to draw a session's curves that are kept. */
const DRAWN = 4;

const known = new Lru<Remembered>(MOST);

/** Those that there are, in this order. One at rest is read again when its files change, and from time to time. */
export async function readSessions(outputs: Outputs, names: readonly string[]): Promise<Kept[]> {
  const read = await Promise.all(names.map((name) => reading(() => readOne(outputs, name))));
  return read.filter((each) => each !== null);
}

async function readOne(outputs: Outputs, name: string): Promise<Kept | null> {
  const folder = await outputs.folder(name).catch(ifMissing(null));
  if (folder === null) return null;
  const facts = outputs.facts(name);
  const before = known.get(folder);
  if (before && facts && rests(facts) && performance.now() - before.at < OLDEST_MS)
    if (before.signature === (await signatureIn(folder, before.session)))
      // What a sidecar knows by itself, such as its place in the queue, may have changed.
      return { ...before, session: before.session.facts === facts ? before.session : { ...before.session, facts } };
  const session = await outputs.refresh(name);
  if (session === null) return null;
  const signature = await signatureIn(folder, session);
  const weights = (await checkpointsOf(session)).filter(({ problem }) => !problem);
  const kept: Kept = {
    session,
    samples: await readSamples(session),
    weights: { newest: weights[0]?.bytes ?? null, all: weights.reduce((sum, { bytes }) => sum + bytes, 0) },
    charts: new Lru(DRAWN),
  };
  if (rests(session.facts)) known.set(folder, { ...kept, signature, at: performance.now() });
  return kept;
}

function rests(facts: SessionFacts): boolean {
  return !isAliveOrPending(facts) && facts.by_hand === null && facts.looked_into;
}

async function signatureIn(folder: string, { dialect }: Session): Promise<string> {
  const samples = await stat(join(folder, dialect.samples.folder)).catch(ifUnreadable(null, 'sessions'));
  return `${fingerprintOf(folder)} ${samples ? signatureOf(samples) : ''}`;
}
