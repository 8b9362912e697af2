import { expect, test } from 'vitest';
import { readTrainingCommand } from '../../sidecar/trainers/trainingCommand.js';

const words = (line: string) => readTrainingCommand(line.split(' '));

test.each([
  ['python flux_train_network.py --output_dir=a', false],
  ['/venv/bin/python3.11 -u -X dev /sd/train_network.py --output_dir=a', false],
  ['python3 /venv/bin/accelerate launch --num_cpu_threads_per_process 1 sd/sdxl_train_network.py --output_dir=a', true],
  ['/venv/bin/python -m accelerate.commands.launch sdxl_train_network.py --output_dir=a', true],
  ['python /venv/bin/torchrun --nproc_per_node=2 sdxl_train_network.py --output_dir=a', true],
])('%s trains', (line, launcher) => {
  expect(words(line)).toMatchObject({ flags: ['--output_dir=a'], launcher });
});

test.each([
  'grep -r output_dir flux_train_network.py',
  'vim flux_train_network.py',
  'tail -f flux_train_network.py',
  'sh -c python flux_train_network.py',
  'python -c input() flux_train_network.py --output_dir=a',
  'python -m pdb flux_train_network.py',
  'python -m trackside.runner --output a -- python practice_train_network.py',
  'python lint.py flux_train_network.py',
  'python /venv/bin/accelerate config',
  'python flux_train_network.py.bak',
  'python',
  '',
])('%s does not train', (line) => {
  expect(words(line)).toBeNull();
});
