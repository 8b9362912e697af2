import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Real output of sd-scripts. */
export const FIXTURES = fileURLToPath(new URL('../fixtures/sd-scripts', import.meta.url));

export function fixture(path: string): string {
  return readFileSync(join(FIXTURES, path), 'utf8');
}

/** A folder of its own for one test, and how to be rid of it. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'trackside-trainers-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export const STATE_FILES = [
  'train_state.json',
  'model.safetensors',
  'optimizer.bin',
  'scheduler.bin',
  'random_states_0.pkl',
] as const;

/** Copies the real state folder to `path`, its files dated `savedAt` in the order of a save, one second apart. */
export async function copyState(path: string, savedAt: Date): Promise<void> {
  await cp(join(FIXTURES, 'tiny-output/mylora-000001-state'), path, { recursive: true });
  await dateState(path, savedAt);
}

/** Dates the files of a state folder as a save that ended at `savedAt` does. */
export async function dateState(path: string, savedAt: Date): Promise<void> {
  const there = await readdir(path);
  for (const [index, name] of STATE_FILES.entries()) {
    const time = new Date(savedAt.getTime() - 1000 * (STATE_FILES.length - 1 - index));
    if (there.includes(name)) await utimes(join(path, name), time, time);
  }
}
