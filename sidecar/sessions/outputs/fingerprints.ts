import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as letOthers, setTimeout as wait } from 'node:timers/promises';
import { ifUnreadable, readOr } from '../../caught.js';
import { answers, mayHang, mountedIn } from '../../files/answers.js';
import { signatureOf } from '../../files/fileSignature.js';

/** The longest time without a pause for others, in milliseconds. */
const SLICE_MS = 6;
/** A disk that takes longer than this, in milliseconds, for several folders in a row is read asynchronously. */
const SLOW_MS = 1;
const SLOW_IN_A_ROW = 5;
/** The number of simultaneous reads on a slow disk. */
const AT_ONCE = 16;

/**
 * A fingerprint that costs two stats. It changes when files at the top of the folder are replaced, added or removed,
 * and when ui_state.json is edited in place. Running sessions report by their console and heartbeat.
 */
export function fingerprintOf(folder: string): string {
  return sign(
    ...placesOf(folder).map((path) => readOr(undefined, 'sessions', () => statSync(path, { throwIfNoEntry: false }))),
  );
}

/** The part of a fingerprint for ui_state.json. */
export function recordIn(sign: string): string {
  return sign.slice(sign.indexOf(' ') + 1);
}

/** The last change of the folder itself, from its fingerprint. Null for ''. */
export function folderChanged(sign: string): Date | null {
  return sign === '' ? null : new Date(Number(sign.split(':')[1]));
}

type HowToTake = {
  /** Pauses as long as it works. */
  restful?: boolean;
  /** Gives '' as the fingerprint on a slow disk. */
  quick?: boolean;
  /** Ends it early. */
  isOver?: () => boolean;
};

/**
 * Passes the fingerprint of every session's folder to `take`, without blocking the event loop, for any number of
 * folders on any disk. Resolves to its milliseconds of work.
 */
export async function takeFingerprints(
  root: string,
  names: readonly string[],
  take: (name: string, sign: string, slow: boolean) => unknown,
  { restful = false, quick = false, isOver = () => false }: HowToTake = {},
): Promise<number> {
  let slowOnes = 0;
  let worked = 0;
  const remote = mayHang(root);
  const mounted = mountedIn(root);
  for (const name of names.filter((each) => mounted.has(each))) {
    const folder = join(root, name);
    if (await answers(folder)) await take(name, quick ? '' : await fingerprintLater(folder), true);
  }
  names = names.filter((each) => !mounted.has(each));
  for (let at = 0; at < names.length && !isOver(); ) {
    const begun = performance.now();
    if (slowOnes >= SLOW_IN_A_ROW || remote) {
      const several = names.slice(at, at + AT_ONCE);
      at += several.length;
      const signs = await Promise.all(several.map((name) => (quick ? '' : fingerprintLater(join(root, name)))));
      if (!quick && performance.now() - begun < (SLOW_MS * AT_ONCE) / 4) slowOnes = 0;
      await Promise.all(several.map((name, index) => take(name, signs[index] as string, true)));
      worked += performance.now() - begun;
      continue;
    }
    for (; at < names.length && performance.now() - begun < SLICE_MS; at += 1) {
      const name = names[at] as string;
      const asked = performance.now();
      const found = fingerprintOf(join(root, name));
      slowOnes = performance.now() - asked > SLOW_MS ? slowOnes + 1 : 0;
      take(name, found, false);
    }
    const took = performance.now() - begun;
    worked += took;
    await (restful ? wait(took) : letOthers());
  }
  return worked;
}

/** The same as `fingerprintOf`, asynchronously. */
export async function fingerprintLater(folder: string): Promise<string> {
  return sign(
    ...(await Promise.all(placesOf(folder).map((path) => stat(path).catch(ifUnreadable(undefined, 'sessions'))))),
  );
}

function placesOf(folder: string): string[] {
  return [folder, `${folder}/ui_state.json`];
}

function sign(...stats: (Stats | undefined)[]): string {
  return stats.map((each) => (each ? signatureOf(each) : '-')).join(' ');
}
