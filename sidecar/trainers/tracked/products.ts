import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ifUnreadable } from '../../caught.js';
import { readJson } from '../../files/jsonFile.js';
import type { CheckpointOnDisk, SampleOnDisk } from '../dialect.js';

/** Files that hold weights. */
const WEIGHTS = /^[^.].*\.(?:safetensors|pt|pth|ckpt|bin|gguf)$/;
/** Step and prompt (trackside/_track/run.py). */
const SAMPLE = /^(\d{8,})_(\d{2,})\.(?:png|jpe?g|webp)$/;

const LARGEST_INDEX = 4 * 1024 * 1024;
const index = z.array(
  z.looseObject({ name: z.string(), step: z.number().nullable(), epoch: z.number().nullable().default(null) }),
);

export const isWeights = (entry: string): boolean => WEIGHTS.test(entry);

/** The weights in a folder, newest first; `checkpoints.json` tells when they were saved. */
export async function readTrackedCheckpoints(folder: string): Promise<CheckpointOnDisk[]> {
  const names = (await readdir(folder).catch(ifUnreadable([], 'trainers'))).filter(isWeights);
  const told =
    names.length > 0 ? await readJson(join(folder, 'checkpoints.json'), LARGEST_INDEX, index, [], 'trainers') : [];
  const found = await Promise.all(
    names.map(async (name): Promise<CheckpointOnDisk[]> => {
      const stats = await lstat(join(folder, name)).catch(ifUnreadable(null, 'trainers'));
      if (!stats?.isFile()) return [];
      const { step = null, epoch = null } = told.find((each) => each.name === name) ?? {};
      return [
        {
          name,
          kind: step === null ? 'other' : 'step',
          number: step,
          bytes: stats.size,
          savedAtMs: stats.mtimeMs,
          whole: stats.size > 0,
          wrong: stats.size > 0 ? null : 'is empty',
          epoch: epoch === null ? null : Math.floor(epoch),
          steps: step,
          epochs: null,
          stepsPerEpoch: null,
          told: {},
        },
      ];
    }),
  );
  return found.flat().sort((a, b) => b.savedAtMs - a.savedAtMs);
}

export const isSample = (file: string): boolean => SAMPLE.test(file);

/** The samples, newest first. They are renamed when they are whole. */
export async function readTrackedSamples(folder: string): Promise<SampleOnDisk[]> {
  const place = join(folder, 'sample');
  const names = (await sampleNames(folder)).map((name) => ({ name, found: SAMPLE.exec(name) }));
  const samples = names.map(async ({ name, found }): Promise<SampleOnDisk[]> => {
    const stats = await lstat(join(place, name)).catch(ifUnreadable(null, 'trainers'));
    if (!stats?.isFile()) return [];
    const [step, prompt] = [Number(found?.[1]), Number(found?.[2])];
    return [{ name, epoch: null, step, prompt, seed: null, bytes: stats.size, savedAtMs: stats.mtimeMs }];
  });
  return (await Promise.all(samples)).flat();
}

export async function newestTrackedSample(folder: string): Promise<string | null> {
  return (await sampleNames(folder))[0] ?? null;
}

async function sampleNames(folder: string): Promise<string[]> {
  const names = (await readdir(join(folder, 'sample')).catch(ifUnreadable([], 'trainers'))).filter(isSample);
  return names.sort().reverse();
}
