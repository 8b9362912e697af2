import { randomBytes } from 'node:crypto';
import { renameSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { discard } from '../../files/discard.js';
import { signatureOf } from '../../files/fileSignature.js';
import { swapFiles } from '../../files/swap.js';
import { syncFolder, writeAside } from '../../files/wholeFile.js';
import { linkOrCopy } from './copies.js';

/** Who opened the file before it was replaced has written by then. */
const LATE_EDIT_MS = 1000;

/**
 * Puts a new text in the place of a file that was read with `signature`. Null, and nothing changed, where the file is
 * another one by now. `aside` names what was replaced, kept for a moment (see `watchForEdits`); null where it could not
 * be kept. Throws the system's error when the text can't be written.
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
    // In one go: between the look and the rename are microseconds.
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
 * Looks once more at a file that was replaced, and removes it: an editor that had it open may have written into it after
 * we read it. Hands on what it says then, if that is something else.
 */
export function watchForEdits(aside: string | null, text: string, edited: (text: string) => Promise<void>): void {
  if (!aside) return;
  setTimeout(async () => {
    try {
      const now = await readFile(aside, 'utf8');
      if (now !== text) await edited(now);
    } catch {
      // silent: it was removed with its session, or is half an edit that went nowhere.
    }
    await discard(aside);
  }, LATE_EDIT_MS).unref();
}

async function keepAside(path: string): Promise<string | null> {
  const aside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  return linkOrCopy(path, aside).then(() => aside, ifUnreadable(null, 'sessions'));
}
