import type { DatasetDetail } from '../../sidecar/datasets/facts.js';
import type { Offers, QueueNode } from '../../sidecar/launchers/launcher.js';
import type { AttemptFacts, SessionFacts } from '../../sidecar/sessions/facts.js';
import { setting } from '../../sidecar/trainers/trainingSettings.js';
import type { NewTrainingModel } from '../../sidecar/views/newTraining.js';
import type { SessionModel } from '../../sidecar/views/session.js';

/** Facts as a day of training leaves them, for rendering. */
export const now = new Date('2026-11-22T12:00:00.000Z');

const losses = Array.from({ length: 60 }, (_, i) => 0.11 + 0.09 * Math.exp(-i / 18) + 0.012 * Math.sin(i * 2.4));

export function attempt(changes: Partial<AttemptFacts> = {}): AttemptFacts {
  return {
    number: 1,
    id: '9f1c',
    kind: 'start',
    started_at: '2026-11-22T11:38:00.000Z',
    ended_at: null,
    launcher: 'local',
    job: null,
    pid: 4242,
    alive: true,
    resumed_from: null,
    first_epoch: 1,
    step_offset: 0,
    steps_added: 0,
    repeated_steps: 0,
    exit_code: null,
    signal: null,
    reason: null,
    reason_code: null,
    argv: ['python3', 'train.py'],
    log_start: 0,
    log_end: null,
    automatic: false,
    gpus: [],
    peak_gpu_memory: null,
    host: null,
    ...changes,
  };
}

/** A running session; `changes` make it another one. */
export function session(changes: Partial<SessionFacts> = {}): SessionFacts {
  const name = changes.name ?? 'my-cat-v3';
  return {
    name,
    lora_name: 'my-cat',
    version: 3,
    version_name: null,
    marked_best: false,
    pinned: false,
    rating: null,
    tags: [],
    made_from: null,
    imported: null,
    results: null,
    trainer: 'practice',
    status: 'running',
    interrupted: false,
    reason: null,
    reason_code: null,
    record: 'whole',
    description: 'more repeats, lower rate',
    best_sample: null,
    notes: '',
    looked_into: true,
    output_path: `/workspace/trackside/outputs/${name}`,
    images: 12,
    captions: 10,
    dataset_path: '/workspace/trackside/datasets/cat-curated',
    log_path: `/workspace/trackside/outputs/${name}/training.log`,
    final_checkpoint: null,
    timestamp: Date.parse('2026-11-22T11:38:00Z') / 1000,
    created_at: '2026-11-22T11:37:00.000Z',
    completed_at: null,
    progress: {
      phase: 'training',
      step: 612,
      total_steps: 960,
      epoch: 11,
      epochs: 16,
      percent: 63.8,
      loss: 0.118,
      best_loss: 0.109,
      best_step: 540,
      peak_gpu_memory: null,
      seconds_per_step: 2.1,
      eta_seconds: 731,
      eta_guessed: false,
      updated_at: '2026-11-22T11:59:59.000Z',
    },
    attempts: [attempt()],
    resume: null,
    copy_of: null,
    all_trained: false,
    stopped_by: null,
    stop_cost: { saves: true, lost_steps: 12, lost_seconds: 25, next_save_seconds: 100 },
    exact_pause: null,
    pausing: false,
    stops_after_save: false,
    queue: null,
    retried_smaller: null,
    auto_resume: { on: false, will: false, tries: 0, in_seconds: null, reason: null },
    stalled_seconds: null,
    by_hand: null,
    next: 'stop',
    newest_sample: 'my-cat_e000010_00.png',
    put_back: null,
    loss_curve: losses,
    settings: {
      concept_sentence: 'c4tsy',
      num_repeats: 6,
      max_train_epochs: 16,
      resolution: 512,
      learning_rate: '8e-4',
      seed: 42,
      network_dim: 4,
      enable_checkpointing: true,
      save_every_n_epochs: 2,
      sample_prompts: 'a c4tsy cat on a roof\nc4tsy portrait\nc4tsy in the rain',
      arguments: { network_alpha: 2 },
    },
    ...changes,
  };
}

export const caching = session({
  name: 'inkwash-v1',
  lora_name: 'inkwash',
  version: 1,
  status: 'starting',
  newest_sample: null,
  loss_curve: [],
  progress: {
    ...session().progress,
    phase: 'caching latents',
    step: null,
    total_steps: 1200,
    epoch: null,
    epochs: 10,
    percent: null,
    loss: null,
    seconds_per_step: null,
    eta_seconds: null,
  },
});

export const interrupted = session({
  name: 'puppy-style-v2',
  lora_name: 'puppy-style',
  version: 2,
  status: 'stopped',
  interrupted: true,
  reason: 'the pod or the runner went away at step 531',
  next: 'resume',
  newest_sample: 'b.png',
  progress: {
    ...session().progress,
    phase: 'ended',
    step: 531,
    total_steps: 720,
    epoch: 9,
    epochs: 12,
    percent: 73.7,
    eta_seconds: null,
  },
  attempts: [attempt({ alive: false, started_at: '2026-11-22T02:50:00.000Z', ended_at: '2026-11-22T03:12:00.000Z' })],
  resume: {
    state: 'puppy-style-000008-state',
    path: 'puppy-style-000008-state',
    epoch: 8,
    step: 480,
    first_epoch: 9,
    lost_steps: 51,
    repeated_steps: 0,
    exact: false,
    differs: [],
    doubt: null,
    passed_over: [
      { state: 'puppy-style-000009-state', path: 'puppy-style-000009-state', reason: 'optimizer.bin is cut short' },
    ],
  },
});

export const failed = session({
  name: 'lineart',
  lora_name: 'lineart',
  version: 1,
  status: 'failed',
  reason: 'Out of GPU memory at step 12. Try a smaller resolution',
  next: 'start over',
  newest_sample: null,
  loss_curve: [0.2, 0.19],
  progress: { ...session().progress, phase: 'ended', step: 12, epoch: 1, percent: 1.2, eta_seconds: null },
  attempts: [
    attempt({ alive: false, ended_at: '2026-11-22T11:40:00.000Z', exit_code: 1, reason: 'Out of GPU memory' }),
  ],
});

export const completed = session({
  name: 'my-cat-v2',
  version: 2,
  status: 'completed',
  next: 'train further',
  completed_at: '2026-11-20T21:45:00.000Z',
  timestamp: Date.parse('2026-11-20T21:04:00Z') / 1000,
  final_checkpoint: '/workspace/trackside/outputs/my-cat-v2/my-cat-v2.safetensors',
  progress: {
    ...session().progress,
    phase: 'ended',
    step: 960,
    epoch: 16,
    percent: 100,
    loss: 0.094,
    eta_seconds: null,
  },
  attempts: [
    attempt({
      alive: false,
      started_at: '2026-11-20T21:04:00.000Z',
      ended_at: '2026-11-20T21:45:00.000Z',
      exit_code: 0,
    }),
  ],
});

export function sessionModel(changes: Partial<SessionModel> = {}): SessionModel {
  const about = changes.session ?? session();
  const saved = (epoch: number) => `2026-11-22T11:${String(38 + epoch).padStart(2, '0')}:00.000Z`;
  const file = (epoch: number) => `${about.name}-${String(epoch).padStart(6, '0')}`;
  return {
    root: '../',
    now,
    active: [interrupted],
    session: about,
    states: [10, 8, 6].map((epoch) => ({
      name: `${file(epoch)}-state`,
      path: `${file(epoch)}-state`,
      kind: 'epoch' as const,
      epoch,
      step: epoch * 60,
      bytes: 115_000_000,
      saved_at: saved(epoch),
      complete: epoch !== 10,
      reason: epoch === 10 ? 'optimizer.bin is cut short' : null,
      refused: epoch === 10 ? 'optimizer.bin is cut short' : null,
      repeated_steps: 0,
      exact: false,
    })),
    checkpoints: [10, 8, 6].map((epoch) => ({
      name: `${file(epoch)}.safetensors`,
      path: `${file(epoch)}.safetensors`,
      kind: 'epoch' as const,
      epoch,
      step: epoch * 60,
      bytes: 38_400_000,
      saved_at: saved(epoch),
      metadata: { ss_base_model_version: 'flux1', ss_network_dim: '4' },
      problem: null,
    })),
    samples: [10, 8, 6].flatMap((epoch) =>
      [0, 1, 2].map((prompt) => ({
        name: `${about.name}_e${String(epoch).padStart(6, '0')}_0${prompt}.png`,
        epoch,
        step: null,
        prompt,
        seed: '42',
        lost: false,
        saved_at: saved(epoch),
      })),
    ),
    kept: { states: [], samples: [] },
    prompts: ['a c4tsy cat on a roof --d 1', 'c4tsy portrait', 'c4tsy in the rain'],
    datasets: '/workspace/trackside/datasets',
    cost: null,
    files: {
      files: [
        { what: 'session', path: about.output_path, bytes: 480_000_000, there: true },
        { what: 'dataset', path: about.dataset_path ?? '', bytes: null, there: true },
        { what: 'log', path: about.log_path, bytes: 38_000, there: true },
      ],
      ssh: null,
      commands: [{ tool: 'rsync', of: 'session', command: `rsync -avs --partial user@host:${about.output_path} .` }],
      hint: 'Put your ssh login in the place of user@host.',
    },
    logTail:
      'epoch 10/16\nsaving checkpoint: my-cat-000010.safetensors\n\nsaving state at epoch 10\ngenerating sample images at step 600\n\nepoch 11/16\n\rsteps:  63%|██████▎   | 611/960 [21:22<12:12, 2.10s/it, avr_loss=0.119]\rsteps:  64%|██████▍   | 612/960 [21:24<12:10, 2.10s/it, avr_loss=0.118]',
    logPosition: '1234:5678',
    curve: Array.from({ length: 306 }, (_, i) => ({
      step: i * 2 + 2,
      loss: 0.11 + 0.09 * Math.exp(-i / 80) + 0.02 * Math.sin(i * 2.4) + 0.01 * Math.sin(i * 0.9),
      attempt: i < 140 ? 1 : 2,
    })),
    ...changes,
  };
}

const captions = ['a c4tsy cat on a windowsill', 'c4tsy asleep', null, 'c4tsy in the garden, evening light'];

export const dataset: DatasetDetail = {
  name: 'cat-curated',
  path: '/workspace/trackside/datasets/cat-curated',
  images: 4,
  captions: 3,
  cover: '01-morning.png',
  modified_at: '2026-11-22T09:00:00.000Z',
  orphan_captions: [],
  not_decoded: 0,
  passed_over: { other_kinds: [], other_captions: [], folders: [] },
  files: ['01-morning.png', '02-dusk.png', '03-night.png', '04-desert.png'].map((file, i) => ({
    file,
    stem: file.replace('.png', ''),
    bytes: 812_000 + i * 11_000,
    width: 1024,
    height: 768,
    caption: captions[i] ?? null,
    problem: null,
    revision: `r${i}`,
  })),
};

/** A cluster of two nodes, one of which is drained. */
export const offers: Offers = {
  gpus: [],
  missing: null,
  queues: [
    {
      ...{ name: 'main', isDefault: true, maxMinutes: null, defaultMinutes: null },
      nodes: [
        clusterNode('n1', 'part', [{ type: 'a100', total: 4, used: 1 }]),
        clusterNode('n2', 'down', [{ type: 'h100', total: 2, used: 0 }]),
      ],
    },
    {
      ...{ name: 'short', isDefault: false, maxMinutes: 60, defaultMinutes: null },
      nodes: [clusterNode('n1', 'part', [{ type: 'a100', total: 4, used: 1 }])],
    },
  ],
};

function clusterNode(name: string, state: QueueNode['state'], gpus: QueueNode['gpus']): QueueNode {
  const free = { cpus: { total: 64, used: 16 }, memoryMiB: { total: 512_000, used: 1000 } };
  return { name, state, word: state === 'down' ? 'drained' : 'mixed', gpus, ...free };
}

export function newTraining(changes: Partial<NewTrainingModel> = {}): NewTrainingModel {
  return {
    root: '',
    now,
    active: [session()],
    datasets: [dataset, { ...dataset, name: 'puppies', images: 50, captions: 50, cover: '05-winter.png' }],
    dataset,
    trainers: [{ id: 'practice', label: 'Practice', group: '' }],
    trainer: {
      id: 'practice',
      label: 'Practice',
      description: 'A real, if tiny, LoRA in plain Python: no GPU, no model. 20 to 60 seconds.',
      settings: (
        [
          'concept_sentence',
          'num_repeats',
          'max_train_epochs',
          'learning_rate',
          'network_dim',
          'resolution',
          'seed',
          'enable_checkpointing',
          'save_every_n_epochs',
          'sample_prompts',
          'sample_every_n_steps',
          'enable_monitoring',
        ] as const
      ).map((name) => setting(name)),
      further: [
        {
          name: 'network_alpha',
          flags: ['--network_alpha'],
          type: 'number',
          default: 1,
          choices: null,
          help: 'alpha value for LoRA weight scaling',
          group: 'network',
        },
        {
          name: 'sample_at_first',
          flags: ['--sample_at_first'],
          type: 'switch',
          default: false,
          choices: null,
          help: 'generate sample images before training',
          group: 'samples',
        },
      ],
    },
    values: {},
    kept: { key: '_00000000', draft: null, start: {}, cleared: null, others: [] },
    errors: {},
    problem: null,
    formId: '0d5f6a',
    loras: [{ name: 'my-cat', folder: 'my-cat', next: 4 }],
    ...changes,
  };
}
