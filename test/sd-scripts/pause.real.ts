import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { createRandom } from '../faults/random.js';
import { exampleDataset, makeTestSidecars, type Sidecar, type TestSidecars } from '../sidecar.js';
import { killEverything } from './watch.js';

/**
 * Chains of pauses, kills and resumes of the unmodified sd-scripts, through Trackside: final weights and every logged loss are
 * those of a run that nobody disturbed. PAUSE_SEED repeats one; PAUSE_ONLY is part of a configuration's name.
 */
const here = fileURLToPath(new URL('.', import.meta.url));
const python = process.env.TRACKSIDE_PYTHON ?? '';
const seed = Number(process.env.PAUSE_SEED ?? Math.floor(Math.random() * 1e6));
const random = createRandom(seed);

let place: TestSidecars;
let sidecar: Sidecar;

beforeAll(async () => {
  console.log(`PAUSE_SEED=${seed}`);
  place = makeTestSidecars();
  const models = join(place.folder, 'models');
  const small = [join(here, 'smallModel.py'), join(models, 'small'), join(models, 'tokenizers')];
  execFileSync(python, small, { stdio: 'pipe', env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } });
  mkdirSync(place.datasets);
  cpSync(exampleDataset, join(place.datasets, 'example'), { recursive: true });
  sidecar = await place.serve({
    TRACKSIDE_MODELS: models,
    TRACKSIDE_EXACT_PAUSE: 'on',
    PYTHONPATH: join(here, 'small'),
    PYTHONDONTWRITEBYTECODE: '1',
    HF_HUB_OFFLINE: '1',
    // Two threads that wait by spinning would take minutes where others use the machine, too.
    OMP_WAIT_POLICY: 'passive',
  });
}, 120_000);
afterAll(() => place.leave());

const CROPS = { cache_latents: false, random_crop: true, flip_aug: true };
const CONFIGURATIONS: [name: string, settings: object, flags: object][] = [
  ['captions', { workers: 0 }, { shuffle_caption: true, caption_dropout_rate: 0.2, caption_tag_dropout_rate: 0.1 }],
  ['fresh-workers', { workers: 2 }, { shuffle_caption: true, persistent_data_loader_workers: false }],
  ['kept-workers', { workers: 2 }, { shuffle_caption: true, persistent_data_loader_workers: true }],
  ['accumulation', { workers: 2 }, { gradient_accumulation_steps: 3, ...CROPS, persistent_data_loader_workers: true }],
  [
    'adafactor',
    { workers: 0 },
    {
      optimizer_type: 'Adafactor',
      optimizer_args: ['relative_step=False', 'scale_parameter=False', 'warmup_init=False'],
      lr_scheduler: 'constant_with_warmup',
      lr_warmup_steps: 5,
    },
  ],
  [
    'samples',
    { workers: 0, sample_every_n_steps: 4, sample_prompts: 'a cat --w 64 --h 64 --s 2' },
    { network_dropout: 0.1, scale_weight_norms: 1, min_snr_gamma: 5 },
  ],
];

test.each(CONFIGURATIONS.filter(([name]) => name.includes(process.env.PAUSE_ONLY ?? '')))(
  'paused at any step, and killed after a save, it ends with the weights and losses of an undisturbed run: %s',
  async (name, settings, flags) => {
    const whole = await train(`${name}-whole`, settings, flags);
    await sidecar.until(whole, ended, 900);
    const paused = await train(`${name}-paused`, settings, flags);
    for (const end of ['pause', random.pick(['pause', 'kill'] as const)] as const) {
      const at = 1 + random.integer(9);
      const before = (await sidecar.session(paused)).progress.step ?? 0;
      await sidecar.until(
        paused,
        (facts) => ended(facts) || (!!facts.exact_pause && (facts.progress.step ?? 0) >= before + at),
        900,
      );
      expect((await sidecar.session(paused)).status).toBe('running');
      if (end === 'kill') await killEverything(place, paused);
      else expect((await sidecar.send('POST', `sessions/${paused}/attempts/current/pause`)).status).toBe(202);
      const facts = await sidecar.until(paused, ended, 900);
      console.log(
        `${name}: ${facts.reason} Resumes ${facts.resume?.exact ? 'exactly' : 'plainly'} at ${facts.resume?.step}.`,
      );
      if (end === 'pause') expect(facts).toMatchObject({ status: 'stopped', resume: { exact: true, lost_steps: 0 } });
      expect((await sidecar.send('POST', `sessions/${paused}/attempts`, { kind: 'resume' })).status).toBe(201);
    }
    const done = await sidecar.until(paused, ended, 900);
    const wanted = await sidecar.session(whole);
    expect(done).toMatchObject({ status: 'completed', progress: { step: wanted.progress.step, percent: 100 } });
    expect(weightsOf(paused)).toEqual(weightsOf(whole));
    expect(await pointsOf(paused)).toEqual(await pointsOf(whole));
  },
);

async function train(name: string, settings: object, flags: object): Promise<string> {
  const asked = {
    lora_name: name,
    trainer: 'sd-scripts/sd1',
    dataset: 'example',
    concept_sentence: 'a cat',
    vram: 'CPU',
    num_repeats: 1,
    max_train_epochs: 3,
    save_every_n_epochs: 1,
    resolution: 64,
    network_dim: 4,
    learning_rate: '1e-3',
    seed: 42,
    sample_prompts: '',
    start: true,
    ...settings,
    arguments: {
      pretrained_model_name_or_path: join(place.folder, 'models', 'small'),
      network_alpha: 2,
      // The first run of all would draw what later ones read from the disk.
      cache_latents_to_disk: false,
      ...flags,
    },
  };
  const { status, body } = await sidecar.send('POST', 'sessions', asked);
  expect(body.error ?? null).toBeNull();
  expect(status).toBe(201);
  return body.name;
}

const ended = ({ status }: SessionFacts) => ['stopped', 'completed', 'failed'].includes(status);

/** The bytes of all tensors: what is before them holds times, too. */
function weightsOf(name: string): string {
  const folder = join(place.outputs, name);
  const file = readdirSync(folder).find(
    (each) => /^[\w-]+\.safetensors$/.test(each) && !/-(\d{6}|step\d+)\./.test(each),
  );
  const bytes = readFileSync(join(folder, file ?? ''));
  const tensors = bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
  return createHash('sha256').update(tensors).digest('hex');
}

async function pointsOf(name: string): Promise<[number, number][]> {
  const points = await sidecar.get<{ tag: string; step: number; value: number }[]>(`sessions/${name}/metrics`);
  return points.filter(({ tag }) => /^(loss|lr)\//.test(tag)).map(({ step, value }) => [step, value]);
}
