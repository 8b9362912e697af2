import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ifUnreadable } from '../caught.js';
import { jsonOrNull } from '../files/exactJson.js';
import { readText } from '../files/regularFile.js';
import type { ModelFile, ModelRole } from './roles.js';

/** Bytes of a configuration; most have some hundred. */
const LARGEST = 1_000_000;

const shape = z.looseObject({ _class_name: z.string() });

/** The role of each pipeline, and the parts that sd-scripts needs to load it (train_util.py, sdxl_train_util.py). */
const PIPELINES: Record<string, { role: ModelRole; parts: string[] }> = {
  StableDiffusionPipeline: { role: 'sd1', parts: ['unet', 'text_encoder', 'vae'] },
  StableDiffusionXLPipeline: { role: 'sdxl', parts: ['unet', 'text_encoder', 'text_encoder_2', 'vae'] },
  FluxPipeline: { role: 'flux', parts: ['transformer'] },
};
const WEIGHTS = /\.(safetensors|bin)$/;

/** Recognises a folder by its model_index.json. Null for a pipeline that no trainer here trains. */
export async function readDiffusersFolder(path: string, name: string): Promise<ModelFile | null> {
  const text = await readText(join(path, 'model_index.json'), LARGEST).catch(ifUnreadable('', 'models'));
  const index = shape.safeParse(jsonOrNull(text));
  if (!index.success) return null;
  const pipeline = PIPELINES[index.data._class_name];
  if (!pipeline) return null;
  const found = await Promise.all(pipeline.parts.map((part) => weigh(join(path, part))));
  const missing = pipeline.parts.filter((_, i) => found[i] === 0);
  const role = pipeline.role === 'sd1' ? await stableVersion(path) : pipeline.role;
  const reason =
    missing.length > 0
      ? `has no weights for ${missing.join(', ')}`
      : role === 'flux' && !(await hasThreeParts(path))
        ? 'does not have its transformer in the three files of the original release, which sd-scripts needs'
        : null;
  const bytes = found.reduce((sum, each) => sum + each, 0);
  return { path, name, bytes, role, detail: 'diffusers folder', usable: !reason, reason };
}

/** Bytes of the weights in one part's folder; 0 if there are none yet. */
async function weigh(folder: string): Promise<number> {
  const inside: string[] = await readdir(folder).catch(ifUnreadable([], 'models'));
  const names = inside.filter((name) => WEIGHTS.test(name));
  const sizes = names.map((name) => stat(join(folder, name)).then(({ size }) => size, ifUnreadable(0, 'models')));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Stable Diffusion 2 attends to text that is 1024 wide. */
async function stableVersion(path: string): Promise<ModelRole> {
  const text = await readText(join(path, 'unet', 'config.json'), LARGEST).catch(ifUnreadable('', 'models'));
  const config = z.looseObject({ cross_attention_dim: z.number() }).safeParse(jsonOrNull(text));
  return config.success && config.data.cross_attention_dim === 1024 ? 'sd2' : 'sd1';
}

/** flux_utils.py:48 looks for exactly these. */
async function hasThreeParts(path: string): Promise<boolean> {
  const names: string[] = await readdir(join(path, 'transformer')).catch(ifUnreadable([], 'models'));
  return [1, 2, 3].every((part) => names.includes(`diffusion_pytorch_model-0000${part}-of-00003.safetensors`));
}
