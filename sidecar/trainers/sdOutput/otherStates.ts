import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import type { SavedAt, StateOnDisk } from '../dialect.js';
import { readStateName } from './fileNames.js';

const PACKED = /^(.+-state)\.(?:zip|7z|rar|tar(?:\.(?:gz|xz|bz2|zst))?|tgz)$/is;
/** OneTrainer's folder of backups, and one of them: its steps, its epochs, and the step within the epoch. */
const BACKUPS = 'backup';
const BACKUP = /-backup-(\d{1,12})-\d{1,9}-\d{1,9}$/;

/**
 * What people look for among the states of a folder though it is none that can be resumed from as it lies there: archives of
 * state folders that are not unpacked beside them, and OneTrainer's backups. Never complete, with what to do as the reason.
 */
export async function readOtherStates(
  folder: string,
  outputName: string,
  entries: readonly Dirent[],
): Promise<StateOnDisk[]> {
  const names = new Set(entries.map(({ name }) => name));
  const found = entries.flatMap((entry) => {
    const stem = entry.isFile() ? PACKED.exec(entry.name)?.[1] : undefined;
    const at = stem && !names.has(stem) ? readStateName(stem, outputName) : null;
    return at ? [other(folder, entry.name, at, 'it is packed; unpack it here to resume from it')] : [];
  });
  const hasBackups = entries.some((entry) => entry.name === BACKUPS && entry.isDirectory());
  const backups = hasBackups ? await readdir(join(folder, BACKUPS)).catch(ifUnreadable([], 'trainers')) : [];
  const ofOneTrainer = backups.flatMap((name) => {
    const steps = BACKUP.exec(name)?.[1];
    const at: SavedAt = { kind: 'step', number: Number(steps) };
    const why = 'it is a backup of OneTrainer, which alone can go on from it (“Continue from last backup”)';
    return steps ? [other(folder, join(BACKUPS, name), at, why)] : [];
  });
  return Promise.all([...found, ...ofOneTrainer]);
}

async function other(folder: string, name: string, at: SavedAt, reason: string): Promise<StateOnDisk> {
  const stats = await stat(join(folder, name)).catch(ifUnreadable(null, 'trainers'));
  return {
    name,
    ...at,
    currentEpoch: null,
    currentStep: null,
    bytes: stats?.isFile() ? stats.size : 0,
    savedAtMs: stats?.mtimeMs ?? 0,
    complete: false,
    reason,
    foreign: true,
  };
}
