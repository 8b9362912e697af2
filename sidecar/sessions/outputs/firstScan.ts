import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { logged } from '../../caught.js';
import type { SessionFacts } from '../facts.js';
import { sessionFolders } from '../names.js';
import { fingerprintLater, takeFingerprints } from './fingerprints.js';
import type { KnownFacts } from './knownFacts.js';
import type { Reading } from './reading.js';
import type { Store } from './store.js';
import { readSummary, readSummaryLater } from './summary.js';

/** The time at the start for reading sessions whole; the rest follows later. */
const WHOLE_FIRST_MS = 1000;

type Place = { root: string; held: Store; reading: Reading; known: KnownFacts };

/** Makes the first list: from an earlier sidecar's facts about unchanged files, from records, or from whole reads. */
export async function scanFirst({ root, held, reading, known }: Place): Promise<void> {
  const closer: string[] = [];
  const take = (name: string, signature: string, facts: SessionFacts | null) => {
    if (facts) held.hold({ name, facts: held.withMarks(name, facts), signature, attempt: null, follower: null });
    else closer.push(name);
  };
  const begun = performance.now();
  const each = (name: string, signature: string, slow: boolean) => {
    const earlier = known.get(name);
    if (earlier?.signature === signature) return take(name, signature, earlier.facts);
    if (!slow) return take(name, signature, readSummary(root, name, signature));
    return readSummaryLater(root, name, signature).then((facts) => take(name, signature, facts));
  };
  await takeFingerprints(root, await sessionFolders(root), each, { quick: true });
  await reading.readAll(closer);
  await reading.readAll(held.inBrief(), { isEnough: () => performance.now() - begun > WHOLE_FIRST_MS });
}

/** Reads sessions whole that were only summarised, one by one, with equally long pauses. */
export async function readRest({ root, held, reading, known }: Place, isOver: () => boolean): Promise<void> {
  for (const name of held.inBrief()) {
    if (isOver()) return;
    const begun = performance.now();
    const waits = held.get(name)?.facts.looked_into === false;
    if (waits && !(await takeOver({ root, held, known }, name)))
      await reading.read(name).catch(logged('sessions', 'The session could not be read.', name));
    await wait(performance.now() - begun);
  }
  known.clear();
}

/** Takes an earlier sidecar's facts if they still hold; a slow disk was not read at first. */
async function takeOver({ root, held, known }: Omit<Place, 'reading'>, name: string): Promise<boolean> {
  const earlier = known.get(name);
  if (!earlier || earlier.signature !== (await fingerprintLater(join(root, name)))) return false;
  const present = held.get(name);
  if (!present || present.follower || present.facts.looked_into) return true;
  held.hold({ ...present, facts: held.withMarks(name, earlier.facts), signature: earlier.signature });
  return true;
}
