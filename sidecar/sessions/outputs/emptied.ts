import { readdir } from 'node:fs/promises';
import { ifUnreadable, logged } from '../../caught.js';
import { jsonOrNull } from '../../files/exactJson.js';
import { readText } from '../../files/regularFile.js';
import { writeWhole } from '../../files/wholeFile.js';
import type { Notices } from '../../live/notices.js';

const ABOUT = 'outputs_empty';
const LARGEST = 64 * 1024;

/**
 * Tells when the outputs folder `root` is bare at a start, although there were sessions in it: its volume may not be mounted.
 * One that was merely cleared of sessions is not bare, for Trackside leaves files of its own in it. Nothing is refused: the
 * folder may be a new one on purpose.
 *
 * @param memory a file outside of the folder, in which the number of its sessions is remembered
 */
export function watchEmptied(root: string, memory: string, notices: Notices) {
  let remembered: number | null = null;
  return {
    /** To be called before anything is made in the folder. */
    async lookFirst(): Promise<void> {
      const names = await readdir(root).catch(ifUnreadable([], 'sessions'));
      const before = (await read(memory))[root] ?? 0;
      if (before === 0 || names.some((name) => name !== 'lost+found')) return;
      const had = before === 1 ? 'a session' : `${before} sessions`;
      notices.tell(
        ABOUT,
        `The outputs folder ${root} is empty, and had ${had} when Trackside ran here before. If its volume is not mounted, end Trackside, mount it, and start again: what is trained until then would be hidden under it. If the folder is new, all is well: this notice goes away with the first session.`,
      );
    },
    /** `sessions`: how many there are now. */
    async look(sessions: number): Promise<void> {
      if (sessions === 0 || sessions === remembered) return;
      remembered = sessions;
      notices.end(ABOUT);
      await writeWhole(memory, JSON.stringify({ ...(await read(memory)), [root]: sessions })).catch(
        logged('sessions', 'The number of sessions could not be remembered.'),
      );
    },
  };
}

/** Numbers of sessions by outputs folder. */
async function read(memory: string): Promise<Record<string, number>> {
  const found = jsonOrNull(await readText(memory, LARGEST, 'refused').catch(ifUnreadable('', 'sessions')));
  const entries = found !== null && typeof found === 'object' ? Object.entries(found) : [];
  return Object.fromEntries(entries.filter(([, count]) => Number.isSafeInteger(count)).slice(-100));
}
