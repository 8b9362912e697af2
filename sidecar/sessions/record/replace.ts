import { randomBytes } from 'node:crypto';
import { renameSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { discard } from '../../files/discard.js';
import { signatureOf } from '../../files/fileSignature.js';
import { linkOrCopy } from '../../files/linkOrCopy.js';
import { readText } from '../../files/regularFile.js';
import { swapFiles } from '../../files/swap.js';
import { syncFolder, writeAside } from '../../files/wholeFile.js';
import { LARGEST_RECORD } from './copies.js';

/** By then, an editor that opened the file before it was replaced has written. */
const LATE_EDIT_MS = 1000;

/**
 * Replaces a file that was read with `signature`. Null, and nothing changed, if the file is another one by now. `aside`
 * is the path of the replaced file, kept for a moment (see `watchForEdits`), or null. Throws the system's error when
 * the text can't be written.
 */
export async function replaceUnchanged(
  path: string,
  content: string,
  signature: string,
): Promise<{ aside: string | null } | null> {
  const temporary = await writeAside(path, content);
  try {
    const before = statSync(path, { throwIfNoEntry: false });
    const same = before !== undefined && signatureOf(before) === signature;
    const outcome = same ? await swapFiles(temporary, path, before) : 'changed';
    if (outcome === 'changed') {
      await rm(temporary, { force: true });
      return null;
    }
    if (outcome === 'swapped') {
      await syncFolder(dirname(path));
      return { aside: temporary };
    }
    const aside = await keepAside(path);
    // Synchronous: microseconds lie between the check and the rename.
    const now = statSync(path, { throwIfNoEntry: false });
    if (!now || signatureOf(now) !== signature) {
      if (aside) await rm(aside, { force: true });
      await rm(temporary, { force: true });
      return null;
    }
    renameSync(temporary, path);
    await syncFolder(dirname(path));
    return { aside };
  } catch (error) {
    await discard(temporary);
    throw error;
  }
}

/**
 * Reads a replaced file again, and removes it: an editor that had it open may have written after we read it. Calls
 * `edited` with a text that changed.
 */
export function watchForEdits(aside: string | null, text: string, edited: (text: string) => Promise<void>): void {
  if (!aside) return;
  setTimeout(async () => {
    try {
      const now = await readText(aside, LARGEST_RECORD, 'refused');
      if (now !== text) await edited(now);
    } catch {
      // silent: the file was removed with its session, or holds half an edit.
    }
    await discard(aside);
  }, LATE_EDIT_MS).unref();
}

async function keepAside(path: string): Promise<string | null> {
  const aside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  return linkOrCopy(path, aside).then(() => aside, ifUnreadable(null, 'sessions'));
}
