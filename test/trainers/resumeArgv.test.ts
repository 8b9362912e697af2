import { expect, test } from 'vitest';
import { resumeArgv } from '../../sidecar/trainers/resumeArgv.js';
import type { ModelNeed } from '../../sidecar/trainers/trainer.js';

const flags = (folder: string, more: string[]) => [
  `--dataset_config=${folder}/dataset.toml`,
  `--output_dir=${folder}`,
  '--output_name=cat',
  `--logging_dir=${folder}/logs`,
  `--sample_prompts=${folder}/sample_prompts.txt`,
  ...more,
];
const added = ['--max_train_epochs=6', '--resume=/now/cat/cat-000002-state', '--initial_epoch=3'];

test('a resume gives again what was given at the start, with the state and the explicit first epoch', () => {
  const started = ['python', '/old/train.py', ...flags('/now/cat', ['--learning_rate=8e-4', '--max_train_epochs=4'])];
  const fresh = ['python', '/old/train.py', ...flags('/now/cat', ['--learning_rate=1e-4', ...added])];
  expect(resumeArgv(started, fresh, [])).toEqual([
    'python',
    '/old/train.py',
    ...flags('/now/cat', ['--learning_rate=8e-4']),
    ...added,
  ]);
});

test('program and places are those of today: the pod was rebuilt, or the outputs were moved', () => {
  const started = ['/gone/python', '/gone/train.py', ...flags('/gone/cat', ['--network_dim=4'])];
  const fresh = ['/venv/python', '-u', '/now/train.py', ...flags('/now/cat', ['--network_dim=8', ...added])];
  expect(resumeArgv(started, fresh, [])).toEqual([
    ...['/venv/python', '-u', '/now/train.py'],
    ...flags('/now/cat', ['--network_dim=4']),
    ...added,
  ]);
});

const AE: ModelNeed = { flag: 'ae', role: 'ae', required: true, label: 'Autoencoder' };

test('models lie where they lie today, and several GPUs are told the step to begin with instead of the epoch', () => {
  const started = ['/gone/python', 'flux_train_network.py', '--ae=/gone/ae.safetensors', '--max_train_steps=50'];
  const own = ['--max_train_epochs=5', '--resume=/b', '--initial_step=12'];
  const fresh = ['python', '-m', 'accelerate.commands.launch', '--multi_gpu', '/sd/flux_train_network.py'];
  expect(resumeArgv(started, [...fresh, '--ae=/now/ae.safetensors', ...own], [AE])).toEqual([
    ...fresh,
    '--ae=/now/ae.safetensors',
    ...own,
  ]);
});
