import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { contract } from '../../bridge.js';
import { ifUnreadable } from '../../caught.js';
import { readJson } from '../../files/jsonFile.js';
import { streamRegular } from '../../files/regularFile.js';
import type { StateOnDisk, StateReader } from '../dialect.js';

const MANIFEST = contract.files.manifest;
const LARGEST_MANIFEST = 16 * 1024 * 1024;

/** Written last, before the folder gets its name (trackside/_track/states.py). */
const manifestSchema = z.looseObject({
  step: z.int().min(0),
  epoch: z.number().nullable().default(null),
  files: z.array(z.object({ name: z.string(), bytes: z.int(), sha256: z.string() })),
});
type Manifest = z.infer<typeof manifestSchema>;

/** The step in the name of a state folder; null for other names. */
export function stateStep(entry: string): number | null {
  const found = /^step-(\d{8,})-state$/.exec(entry);
  return found ? Number(found[1]) : null;
}

/** State folders of `run.saving_state`. Unfinished ones are hidden, and none of these. */
export const trackedStates: StateReader = {
  async read(folder) {
    const names = (await readdir(folder).catch(ifUnreadable([], 'trainers'))).filter(
      (name) => stateStep(name) !== null,
    );
    const states = await Promise.all(names.map((name) => readState(folder, name)));
    return states.sort((a, b) => (b.number ?? 0) - (a.number ?? 0));
  },
  async hasComplete(folder, _, entries) {
    const names = entries.filter((name) => stateStep(name) !== null).sort();
    for (const name of names.reverse()) if ((await readState(folder, name)).complete) return true;
    return false;
  },
  async damage(path) {
    const manifest = await readManifest(path);
    if (!manifest) return NO_MANIFEST;
    for (const { name, sha256 } of manifest.files)
      if ((await digestOf(join(path, name))) !== sha256) return `${name} is not what was written`;
    return null;
  },
  stepsPerEpoch: () => null,
  recipe: ({ currentEpoch, currentStep: step }) =>
    step === null ? null : { epoch: currentEpoch ?? 0, step, firstEpoch: 1, stepOffset: step, repeatedSteps: 0 },
  position: ({ number }) => number,
};

const NO_MANIFEST = `its ${MANIFEST} is missing or cannot be read`;

async function readState(folder: string, name: string): Promise<StateOnDisk> {
  const path = join(folder, name);
  const manifest = await readManifest(path);
  const reason = manifest ? await whatIsMissing(path, manifest) : NO_MANIFEST;
  const written = await stat(manifest ? join(path, MANIFEST) : path).catch(ifUnreadable(null, 'trainers'));
  return {
    name,
    kind: 'step',
    number: stateStep(name),
    currentEpoch: manifest?.epoch == null ? null : Math.floor(manifest.epoch),
    currentStep: manifest?.step ?? stateStep(name),
    bytes: manifest?.files.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0,
    savedAtMs: written?.mtimeMs ?? 0,
    complete: reason === null,
    reason,
  };
}

async function readManifest(path: string): Promise<Manifest | null> {
  const manifest = await readJson(join(path, MANIFEST), LARGEST_MANIFEST, manifestSchema, null, 'trainers');
  const inside = manifest?.files.every(({ name }) => !name.startsWith('/') && !name.split('/').includes('..'));
  return inside ? manifest : null;
}

async function whatIsMissing(path: string, manifest: Manifest): Promise<string | null> {
  for (const { name, bytes } of manifest.files) {
    const stats = await stat(join(path, name)).catch(ifUnreadable(null, 'trainers'));
    if (!stats) return `${name} is missing`;
    if (stats.size !== bytes) return `${name} has ${stats.size} of ${bytes} bytes`;
  }
  return null;
}

async function digestOf(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const block of streamRegular(path)) hash.update(block);
    return hash.digest('hex');
  } catch (error) {
    return ifUnreadable(null, 'trainers')(error);
  }
}
