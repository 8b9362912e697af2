import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFamily } from '../../sidecar/trainers/sdScripts/families.js';
import { models, writeWeights } from '../models/weights.js';
import { exampleDataset, type TestSidecars } from '../sidecar.js';

const here = fileURLToPath(new URL('standIn', import.meta.url));

/** What sd-scripts asks for; the stand-in for accelerate is the only one with anything in it. */
const PACKAGES = {
  torch: '2.6.0',
  torchvision: '0.21.0',
  accelerate: '1.6.0',
  transformers: '4.54.1',
  diffusers: '0.32.1',
  safetensors: '0.4.5',
  toml: '0.10.2',
  voluptuous: '0.15.2',
  'opencv-python': '4.10.0.84',
  einops: '0.7.0',
  imagesize: '1.4.1',
  'huggingface-hub': '0.34.3',
  numpy: '2.2.6',
  pillow: '11.3.0',
  tensorboard: '2.19.0',
  bitsandbytes: '0.45.0',
};

/**
 * A place with the example pictures, model files of every family (headers without weights), and the environment of a sidecar
 * that finds the stand-in checkout, its packages, and as many GPUs as `nvidia-smi` is told to have.
 */
export function prepareStandIn(place: TestSidecars, gpus = 2): NodeJS.ProcessEnv {
  const packages = join(place.folder, 'packages');
  cpSync(join(here, 'packages'), packages, { recursive: true });
  for (const [name, version] of Object.entries(PACKAGES)) {
    const folder = join(packages, `${name.replaceAll('-', '_')}-${version}.dist-info`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'METADATA'), `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`);
  }
  cpSync(exampleDataset, join(place.datasets, 'example'), { recursive: true });
  for (const [role, file] of Object.entries(FILES)) writeWeights(modelPath(place, role), file);
  const programs = join(place.folder, 'programs');
  mkdirSync(programs);
  const lines = Array.from({ length: gpus }, (_, index) => `echo "${index}, NVIDIA L40S, 570.86.15, 46068, 45500"`);
  writeFileSync(join(programs, 'nvidia-smi'), `#!/bin/sh\n${lines.join('\n')}\n`);
  chmodSync(join(programs, 'nvidia-smi'), 0o755);
  return {
    TRACKSIDE_SD_SCRIPTS: join(here, 'checkout'),
    TRACKSIDE_MODELS: join(place.folder, 'models'),
    PYTHONPATH: packages,
    PYTHONDONTWRITEBYTECODE: '1',
    PATH: `${programs}:${process.env.PATH}`,
  };
}

/** By role, as recognise.ts tells them apart. */
const FILES = {
  sd1: models.sd1,
  sdxl: models.sdxl,
  flux: models.fluxDev,
  sd3: models.sd35Medium,
  lumina2: models.lumina2,
  'hunyuan-image': models.hunyuanImage,
  anima: models.anima,
  clip_l: models.clipL,
  clip_g: models.clipG,
  t5xxl: models.t5xxl,
  gemma2: models.gemma2,
  'qwen2.5-vl': models.qwenVl,
  byt5: models.byt5,
  qwen3: models.qwen3,
  ae: models.ae,
  'hunyuan-vae': models.hunyuanVae,
  'anima-vae': models.qwenVae,
};

export function modelPath(place: TestSidecars, role: string): string {
  return join(place.folder, 'models', `${role}.safetensors`);
}

/** A training of a family on all ten pictures, small and quick: ten batches an epoch. */
export function training(place: TestSidecars, family: string, more: Record<string, unknown> = {}, flags: object = {}) {
  const needs = findFamily(`sd-scripts/${family}`)?.needs ?? [];
  const files = needs.filter(({ required, role }) => required || role in TEXT_ENCODERS_OF_SD3);
  return {
    trainer: `sd-scripts/${family}`,
    lora_name: family,
    dataset: 'example',
    concept_sentence: 'a cat',
    num_repeats: 1,
    max_train_epochs: 2,
    save_every_n_epochs: 1,
    resolution: 64,
    network_dim: 4,
    sample_prompts: '',
    start: true,
    ...more,
    arguments: { ...Object.fromEntries(files.map(({ flag, role }) => [flag, modelPath(place, role)])), ...flags },
  };
}

const TEXT_ENCODERS_OF_SD3 = { clip_l: true, clip_g: true, t5xxl: true };
