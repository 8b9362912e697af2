import { expect, test } from 'vitest';
import { epochsAsked, readRun } from '../../../sidecar/sessions/preflight/run.js';
import { parseUiState } from '../../../sidecar/sessions/record/parseUiState.js';
import { setting } from '../../../sidecar/trainers/trainingSettings.js';

const trainer = {
  settings: [setting('num_repeats'), setting('more_datasets'), setting('reg_datasets')],
  given: () => ({ gradient_accumulation_steps: 2 }),
};
const epoch = (images: number, settings: object, gpus: number[] = []) => ({
  trainer,
  state: parseUiState(JSON.stringify({ num_repeats: 1, max_train_epochs: 7, ...settings })).state,
  detail: { images },
  gpus,
});

test.each([
  ['ten pictures, two together', epoch(10, {}), { steps: 5, exact: true }],
  ['a person says otherwise', epoch(10, { arguments: { gradient_accumulation_steps: 3 } }), { steps: 4, exact: true }],
  ['two GPUs', epoch(10, {}, [0, 1]), { steps: 3, exact: true }],
  ['four a batch', epoch(10, { arguments: { train_batch_size: 4 } }), { steps: 2, exact: false }],
  ['further datasets, which are not counted', epoch(10, { more_datasets: 'close-ups 5' }), { steps: 5, exact: false }],
  ['regularisation pictures', epoch(10, { reg_datasets: 'cats' }), { steps: 5, exact: false }],
  ['no pictures', epoch(0, {}), { steps: 1, exact: true }],
])('steps of an epoch: %s', (_, given, expected) => {
  expect(readRun(given).epoch).toEqual(expected);
});

test.each([
  ['whole epochs', { max_train_steps: 50 }, 10],
  ['what ends in the middle of one is trained to its end', { max_train_steps: 51 }, 11],
  ['as text, as a form gives it', { max_train_steps: '5' }, 1],
  ['without it, the epochs', {}, 7],
])('a number of steps becomes epochs: %s', (_, flags, expected) => {
  expect(epochsAsked(readRun(epoch(10, { arguments: flags })))).toBe(expected);
});
