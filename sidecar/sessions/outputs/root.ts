import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { answers, SILENT } from '../../files/answers.js';
import type { Notices } from '../../live/notices.js';
import { Problem } from '../../problem.js';

const ABOUT = 'outputs';

export type Root = ReturnType<typeof watchRoot>;

/**
 * Is the outputs folder still the one that was opened? A volume may be unmounted, and what lies under its mount point is
 * another folder, on another disk; people move and remove folders. Nothing is made or started in its place.
 */
export function watchRoot(path: string, notices: Notices) {
  let opened: { dev: number; ino: number } | null = null;
  let lost: string | null = null;

  async function isTheSame(sessions: Iterable<string>): Promise<boolean | null | 'silent'> {
    if (!(await answers(path))) return 'silent';
    const there = await stat(path).catch(ifUnreadable(null, 'sessions'));
    if (!there) return null;
    // It did not answer when Trackside was started.
    opened ??= { dev: there.dev, ino: there.ino };
    if (there.ino !== opened.ino) return false;
    // A network volume that is mounted again may have another number: its sessions tell.
    if (there.dev === opened.dev) return true;
    for (const name of sessions) if (await stat(join(path, name)).catch(ifUnreadable(null, 'sessions'))) return true;
    return false;
  }

  return {
    async remember(): Promise<void> {
      const { dev, ino } = await stat(path);
      opened = { dev, ino };
    },
    /** True while it is there. `sessions`: names that were there before. */
    async look(sessions: Iterable<string>): Promise<boolean> {
      const same = await isTheSame(sessions);
      if (same === 'silent') {
        lost = `The disk of the outputs folder ${path} does not answer. Sessions are shown as they were last known.`;
        notices.tell(ABOUT, `${lost} ${SILENT}`);
        return false;
      }
      if (same) {
        if (lost) notices.end(ABOUT);
        lost = null;
        return true;
      }
      const what = same === null ? `The outputs folder ${path} is gone` : `A different folder is now at ${path}`;
      lost = `${what}: it was moved or removed, or its volume was unmounted. Trackside starts nothing until it is back.`;
      notices.tell(ABOUT, `${lost} ${REMEDY}`);
      return false;
    },
    require(): void {
      if (lost) throw new Problem('outputs_gone', lost, { todo: REMEDY });
    },
    isLost: () => lost !== null,
  };
}

const REMEDY =
  'Mount it or put it back. To start with the folder as it is now, restart Trackside. Running trainings are listed under “Also running on this machine”.';
