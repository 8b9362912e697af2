import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { memoByObject } from '../../files/memoByObject.js';
import { settledNames } from '../../files/settledFiles.js';
import type { CheckpointOnDisk, CheckpointsBelow, SavedAt } from '../dialect.js';
import { readCheckpoints } from './checkpoints.js';
import { isWeights, readFolderName } from './fileNames.js';

/** Folders searched at most. */
const MOST_FOLDERS = 200;

/** The weights in the folders below an output folder; where a file's name does not tell when it was saved, its folder's does. */
export async function checkpointsBelow(folder: string, outputName: string): Promise<CheckpointsBelow[]> {
  return Promise.all(
    (await placesBelow(folder)).map(async (place) => {
      const at = readFolderName(basename(place));
      const files = await readCheckpoints(join(folder, place), outputName);
      const isNamed = ({ kind }: CheckpointOnDisk) => kind === 'epoch' || kind === 'step';
      return { place, files: files.map((file) => (at && !isNamed(file) ? savedAt(file, at.kind, at.number) : file)) };
    }),
  );
}

const savedAt = memoByObject(
  (file: CheckpointOnDisk, kind: SavedAt['kind'], number: number | null): CheckpointOnDisk => {
    return { ...file, kind, number, epoch: kind === 'epoch' ? number : file.epoch };
  },
);

/**
 * Folders below an output folder in which other tools keep weights, relative to it: `checkpoint-500/` (diffusers, SimpleTuner,
 * x-flux), `save/` (OneTrainer), `20240506_10-11-12/epoch10/` (diffusion-pipe). Others may hold anything, and are not searched.
 */
async function placesBelow(folder: string): Promise<string[]> {
  const places: string[] = [];
  const queue = [...((await foldersOfSaves(folder)) ?? [])];
  for (let looked = 0; looked < MOST_FOLDERS; looked += 1) {
    const place = queue.shift();
    if (place === undefined) break;
    const entries = await readdir(join(folder, place)).catch(ifUnreadable([], 'trainers'));
    if (entries.some(isWeights)) places.push(place);
    if (isDated(place)) queue.push(...entries.filter(isOfSaves).map((name) => join(place, name)));
  }
  return places;
}

const foldersOfSaves = settledNames((names) => names.filter((name) => isOfSaves(name) || isDated(name)));

function isOfSaves(name: string): boolean {
  return name === 'save' || readFolderName(name) !== null;
}

/** A run of diffusion-pipe or OneTrainer. */
function isDated(name: string): boolean {
  return /^\d{8}[-_]\d{2}-\d{2}-\d{2}$|^\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}$/.test(name);
}
