import { mkdirSync, readdirSync, realpathSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOr } from '../caught.js';
import { isUnanswered } from '../files/inTime.js';
import { readTextNow } from '../files/regularFile.js';
import { log } from '../log.js';
import { readProcess } from '../processes/identity.js';
import type { Settings } from '../settings.js';

/**
 * Writes down that this process serves these outputs, and at which address, for programs that would start another one
 * (trackside.launch in Python). It lies in the private folder, because the address may hold the token. Returns the
 * removal of the note. A folder that can't be written is logged.
 */
export function noteServing({ private: folder, outputs, version }: Settings, url: string, port: number): () => void {
  const place = join(folder, 'serving');
  const path = join(place, `${process.pid}.json`);
  try {
    mkdirSync(place, { recursive: true, mode: 0o700 });
    const start_ticks = readProcess(process.pid)?.startTicks ?? null;
    const note = {
      pid: process.pid,
      start_ticks,
      outputs: isUnanswered(outputs) ? outputs : realpathSync(outputs),
      url,
      port,
      version,
    };
    writeFileSync(path, `${JSON.stringify(note)}\n`, { mode: 0o600 });
  } catch (error) {
    log.warn('sidecar', 'Other programs can’t find this one: it could not be noted that it serves.', { error });
  }
  return () => {
    try {
      unlinkSync(path);
    } catch {
      // silent: it reads as that of a process that is gone.
    }
  };
}

type Note = { pid: number; start_ticks: number | null; outputs: string; url: string; port: number };

/**
 * The address, on this machine, of a sidecar of this user that serves these outputs, with the token in it if it made the
 * token; null if there is none.
 */
export function findServing({ private: folder, outputs }: Pick<Settings, 'private' | 'outputs'>): string | null {
  const place = join(folder, 'serving');
  const [served, names] = readOr(['', []] as [string, string[]], 'sidecar', () => [
    realpathSync(outputs),
    readdirSync(place),
  ]);
  for (const name of names) {
    const note = readOr<Note | null>(null, 'sidecar', () => JSON.parse(readTextNow(join(place, name), LARGEST_NOTE)));
    if (note?.outputs !== served || (readProcess(note.pid)?.startTicks ?? null) !== note.start_ticks) continue;
    if (note.start_ticks !== null) return `http://127.0.0.1:${note.port}/${new URL(note.url).search}`;
  }
  return null;
}

const LARGEST_NOTE = 64 * 1024;
