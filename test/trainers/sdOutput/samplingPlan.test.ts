import { expect, test } from 'vitest';
import type { StepOfTraining } from '../../../sidecar/trainers/dialect.js';
import { samplingPlan } from '../../../sidecar/trainers/sdOutput/samplingPlan.js';

const every = '--sample_every_n_steps=100';

/** Pictures and pixels go up with the prompts; what a step of training works on makes them few or many steps. */
test.each<[string, string[], string, StepOfTraining, number]>([
  ['a picture of the size of the training', ['sdxl_train_network.py'], 'a cat --w 1024 --h 1024', { side: 1024 }, 20],
  ['a picture of a quarter of its pixels', ['sdxl_train_network.py'], 'a cat', { side: 1024 }, 5],
  ['a training of four pictures a step', ['sdxl_train_network.py'], 'a cat', { side: 1024, batch: 4 }, 1.25],
  [
    'a training that gathers four steps',
    ['sdxl_train_network.py', '--gradient_accumulation_steps=4'],
    'a cat',
    { side: 1024 },
    1.25,
  ],
  ['FLUX, without the second run for the guidance', ['flux_train_network.py'], 'a cat', { side: 512 }, 20 / 3],
  ['FLUX with it', ['flux_train_network.py'], 'a cat --l 3.5', { side: 512 }, 40 / 3],
  ['two prompts', ['sd-scripts/train_network.py'], 'a cat --s 10\n# none\na dog --s 20', { side: 512 }, 20],
  ['a training of which nothing is known', [], 'a cat --w 768 --h 512', {}, 20],
  [
    'the practice trainer, which draws small pictures',
    ['practice_train_network.py'],
    'a cat --w 1024',
    { side: 64 },
    72,
  ],
  ['the practice trainer, and smaller ones', ['practice_train_network.py'], 'a cat --w 64 --h 48', { side: 64 }, 32],
])('samples are guessed to take so many steps: %s', (_, argv, prompts, training, steps) => {
  expect(samplingPlan([...argv, every], prompts, training)?.asSteps).toBeCloseTo(steps, 6);
});

test('a command that draws none has no plan', () => {
  expect(samplingPlan(['flux_train_network.py'], 'a cat')).toBeNull();
  expect(samplingPlan([every], '# nothing\n\n')).toBeNull();
  expect(samplingPlan([every, '--sample_every_n_epochs=2'], 'a cat')).toMatchObject({ every: 'epochs', distance: 2 });
});
