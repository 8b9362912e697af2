import { expect, test } from 'vitest';
import { resumeArgv } from '../../sidecar/sessions/resumeArgv.js';

const flags = (folder: string, more: string[]) => [
  `--dataset_config=${folder}/dataset.toml`,
  `--output_dir=${folder}`,
  '--output_name=cat',
  `--logging_dir=${folder}/logs`,
  `--sample_prompts=${folder}/sample_prompts.txt`,
  ...more,
];
const resume = { statePath: '/now/cat/cat-000002-state', firstEpoch: 3, epochs: 6 };
const added = ['--max_train_epochs=6', '--resume=/now/cat/cat-000002-state', '--initial_epoch=3'];

test('a resume gives again what was given at the start, with the state and the explicit first epoch', () => {
  const started = ['python', '/old/train.py', ...flags('/now/cat', ['--learning_rate=8e-4', '--max_train_epochs=4'])];
  const fresh = ['python', '/old/train.py', ...flags('/now/cat', ['--learning_rate=1e-4', '--resume=x'])];
  expect(resumeArgv(started, fresh, resume)).toEqual([
    'python',
    '/old/train.py',
    ...flags('/now/cat', ['--learning_rate=8e-4']),
    ...added,
  ]);
});

test('program and places are those of today: the pod was rebuilt, or the outputs were moved', () => {
  const started = ['/gone/python', '/gone/train.py', ...flags('/gone/cat', ['--network_dim=4'])];
  const fresh = ['/venv/python', '-u', '/now/train.py', ...flags('/now/cat', ['--network_dim=8'])];
  expect(resumeArgv(started, fresh, resume)).toEqual([
    ...['/venv/python', '-u', '/now/train.py'],
    ...flags('/now/cat', ['--network_dim=4']),
    ...added,
  ]);
});
