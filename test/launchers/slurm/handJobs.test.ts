import { expect, test } from 'vitest';
import { trainingIn } from '../../../sidecar/launchers/slurm/handJobs.js';

const flux = { outputDir: '/data/out/cat', outputName: 'cat', script: 'flux_train_network.py' };

test.each([
  ['a plain call', 'python flux_train_network.py --output_dir /data/out/cat --output_name cat', flux],
  [
    'a launcher behind srun, over several lines',
    '#SBATCH --gres=gpu:1\nsrun accelerate launch --num_processes 1 \\\n  flux_train_network.py \\\n  --output_dir=/data/out/cat --output_name=cat',
    flux,
  ],
  [
    'variables that the script assigns',
    'OUT=/data/out\nexport NAME="cat"\npython3 flux_train_network.py --output_dir "$OUT/$NAME" --output_name $NAME',
    flux,
  ],
  [
    'a folder that is relative to where it changes to',
    'cd /data\npython flux_train_network.py --output_dir out/cat --output_name cat',
    flux,
  ],
  [
    'a variable that only the job knows',
    'python flux_train_network.py --output_dir $SCRATCH/cat --output_name cat',
    null,
  ],
  [
    'a value of its task of an array',
    'python flux_train_network.py --output_dir /data/out/cat --output_name cat$SLURM_ARRAY_TASK_ID',
    { ...flux, outputName: 'cat7' },
  ],
  ['no training', 'python -m http.server\nsleep 600', null],
  ['a training in a comment', '# python flux_train_network.py --output_dir /data/out/cat', null],
])('a job submitted by hand: %s', (_, script, found) => {
  const told = trainingIn(`#!/bin/bash\n${script}\n`, '/home/me', [['SLURM_ARRAY_TASK_ID', '7']]);
  expect(told && { ...told, argv: undefined }).toEqual(found);
});
