import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as letOthers, setTimeout as wait } from 'node:timers/promises';
import { ifUnreadable } from '../../caught.js';
import { signatureOf } from '../../files/fileSignature.js';

/** Others wait no longer than this, in milliseconds, while folders are looked at. */
const SLICE_MS = 6;
/** A disk that takes longer than this, in milliseconds, for so many folders in a row is asked without waiting for it. */
const SLOW_MS = 1;
const SLOW_IN_A_ROW = 5;
/** So many folders of a slow disk are looked at at the same time. */
const AT_ONCE = 16;

/**
 * A sign of change that costs two stats: files replaced, added or removed at the top of the folder, and ui_state.json
 * edited in place. What lives is told by its console and its heartbeat.
 */
export function fingerprintOf(folder: string): string {
  return sign(...placesOf(folder).map((path) => statSync(path, { throwIfNoEntry: false })));
}

/** The part of a sign of change that is about ui_state.json. */
export function recordIn(sign: string): string {
  return sign.slice(sign.indexOf(' ') + 1);
}

/** When the folder itself changed last, as its sign tells. Null where that is ''. */
export function folderChanged(sign: string): Date | null {
  return sign === '' ? null : new Date(Number(sign.split(':')[1]));
}

type HowToTake = {
  /** Pause for as long as it works. */
  restful?: boolean;
  /** On a slow disk give '' for a sign rather than ask for it. */
  quick?: boolean;
  /** Ends it early. */
  isOver?: () => boolean;
};

/**
 * Gives the sign of every session's folder to `take`, without holding up the event loop, however many there are and
 * however slow the disk is. Resolves to the milliseconds that it worked.
 */
export async function takeFingerprints(
  root: string,
  names: readonly string[],
  take: (name: string, sign: string, slow: boolean) => unknown,
  { restful = false, quick = false, isOver = () => false }: HowToTake = {},
): Promise<number> {
  let slowOnes = 0;
  let worked = 0;
  for (let at = 0; at < names.length && !isOver(); ) {
    const begun = performance.now();
    if (slowOnes >= SLOW_IN_A_ROW) {
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

/** The same as `signOf`, without holding up anybody else. */
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
