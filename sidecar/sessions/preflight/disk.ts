import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import type { DatasetDetail } from '../../datasets/facts.js';
import { readSafetensorsHeader } from '../../files/safetensors.js';
import { readDisk } from '../../telemetry/disk.js';
import type { ArgumentValue } from '../../trainers/arguments.js';
import { savesKept } from '../../trainers/expectedSaves.js';
import type { Finding } from '../../trainers/finding.js';
import type { TrainingSettings } from '../../trainers/setting.js';
import type { ModelNeed } from '../../trainers/trainer.js';
import type { Session } from '../status/session.js';
import { checkSpace, loraParameters, type SaveSizes, saveSizes, spaceNeeded } from './space.js';

/** Checks the space for the files of a run: checkpoints and states beside the session, caches beside the pictures. */
export async function checkDisk(run: {
  session: Session;
  settings: TrainingSettings;
  flags: Record<string, ArgumentValue>;
  needs: readonly ModelNeed[];
  cwd: string;
  detail: DatasetDetail;
  from: number;
  stepsPerEpoch: number;
}): Promise<Finding[]> {
  const { session, settings, flags, detail } = run;
  const seen = await largestSeen(session);
  const sizes = saveSizes({
    parameters: seen.checkpoint === undefined ? await parametersOf(run) : null,
    bytesPerValue: ['fp16', 'bf16'].includes(String(flags.save_precision)) ? 2 : 4,
    savesStates: settings.enable_checkpointing,
    seen,
  });
  const [output, pictures] = await Promise.all([placeOf(session.folder), placeOf(detail.path)]);
  const saves = sizes ? spaceNeeded(sizes, savesKept(settings, flags, run), 0) : 0;
  const caches = await cachesNeeded(run);
  if (output?.device === pictures?.device) return check(saves + caches, output, session.folder);
  return [...check(saves, output, session.folder), ...check(caches, pictures, detail.path)];
}

type Place = { device: number; free: number } | null;

async function placeOf(path: string): Promise<Place> {
  const [facts, disk] = await Promise.all([stat(path).catch(ifUnreadable(null, 'sessions')), readDisk(path)]);
  return facts && disk && { device: facts.dev, free: disk.free_bytes };
}

function check(needed: number, place: Place, path: string): Finding[] {
  return place ? checkSpace(needed, place.free, path) : [];
}

/** Sizes of what an earlier attempt wrote: the best estimate. */
async function largestSeen({ folder, dialect, outputName, entries, candidates }: Session): Promise<Partial<SaveSizes>> {
  const names = entries.filter((name) => dialect.saved(name, outputName)?.is === 'checkpoint');
  const sizes = await Promise.all(
    names.map((name) => stat(join(folder, name)).then(({ size }) => size, ifUnreadable(0, 'sessions'))),
  );
  const checkpoint = Math.max(0, ...sizes);
  const state = Math.max(0, ...candidates.map(({ bytes }) => bytes));
  return { ...(checkpoint > 0 ? { checkpoint } : {}), ...(state > 0 ? { state } : {}) };
}

/** Null when no model file tells. */
async function parametersOf(run: Parameters<typeof checkDisk>[0]): Promise<number | null> {
  const { needs, flags, settings, cwd } = run;
  const unetOnly = flags.network_train_unet_only === true;
  const trained = ['pretrained_model_name_or_path', ...(unetOnly ? [] : ['clip_l'])];
  let sum = 0;
  for (const { flag } of needs.filter((need) => trained.includes(need.flag))) {
    const value = flags[flag];
    if (typeof value !== 'string') continue;
    const header = await readSafetensorsHeader(resolve(cwd, value)).catch(ifUnreadable('', 'sessions'));
    if (typeof header !== 'string') sum += loraParameters(header.places, settings.network_dim);
  }
  return sum > 0 ? sum : null;
}

/** Bytes of a caption's text encoder outputs in 32 bits, as T5-XXL makes them (sd-scripts library/strategy_*.py). */
const TEXT_OUTPUT = 512 * 4096 * 4;

/** Existing caches are not written again. */
async function cachesNeeded({ detail, settings, flags }: Parameters<typeof checkDisk>[0]): Promise<number> {
  const names: string[] = await readdir(detail.path).catch(ifUnreadable([], 'sessions'));
  const pictures = Math.max(0, detail.images - names.filter((name) => name.endsWith('.npz')).length);
  // 16 channels is the most that an autoencoder here makes of 8×8 pixels.
  const latents = flags.cache_latents_to_disk ? (settings.resolution / 8) ** 2 * 16 * 4 : 0;
  const texts = flags.cache_text_encoder_outputs_to_disk ? TEXT_OUTPUT : 0;
  return pictures * (latents + texts);
}
