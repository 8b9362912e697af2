import { expect, test } from 'vitest';
import { hintsView } from '../../sidecar/views/newTrainingHints.js';

const loras = [{ name: 'My Cat', folder: 'my-cat', next: 3 }];
const typed = {
  lora_name: 'x',
  num_repeats: '10',
  max_train_epochs: '8',
  save_every_n_epochs: '2',
  enable_checkpointing: 'true',
};
const hints = (values: Record<string, string>, images = 7, isDraft = false) =>
  hintsView({ values: { ...typed, ...values }, images, loras, isDraft });

test.each([
  [{}, '7 pictures × 10 repeats × 8 epochs = 560 steps'],
  [{ 'arguments.train_batch_size': '4' }, '7 pictures × 10 repeats × 8 epochs ÷ 4 per step = 144 steps'],
  [
    { num_repeats: '1', max_train_epochs: '1', 'arguments.gradient_accumulation_steps': '2' },
    '7 pictures × 1 repeat × 1 epoch ÷ 2 per step = 4 steps',
  ],
  [{ more_datasets: 'other 2' }, '7 pictures × 10 repeats × 8 epochs = 560 steps, plus the additional datasets'],
  [{ max_train_epochs: '' }, ''],
  [{ max_train_epochs: 'many' }, ''],
])('steps of %o', (values, text) => {
  expect(hints(values).expected.replaceAll('\u202f', '')).toBe(text);
});

test('without pictures the form asks for them', () => {
  expect(hints({}, 0).expected).toBe('Choose a dataset.');
});

test.each([
  [{}, ''],
  [{ save_every_n_epochs: '8' }, 'With these settings'],
  [{ save_every_n_epochs: '' }, 'With these settings'],
  [{ save_every_n_epochs: '8', 'arguments.save_every_n_steps': '559' }, ''],
  [{ save_every_n_epochs: '8', 'arguments.save_every_n_steps': '560' }, 'With these settings'],
  [{ save_every_n_epochs: '8', 'arguments.save_every_n_steps': '560', more_datasets: 'other 2' }, ''],
  [{ enable_checkpointing: 'false' }, 'Without state folders'],
])('a warning about saves for %o', (values, start) => {
  expect(hints(values)['saved-late'].slice(0, start.length || undefined)).toBe(start);
});

test('a name that exists becomes the next version, however it is spelt; a draft keeps its own', () => {
  for (const lora_name of ['My Cat', ' my cat', 'MY-CAT!'])
    expect(hints({ lora_name })['next-version']).toBe('My Cat exists: this becomes its V3. Nothing is overwritten.');
  expect(hints({ lora_name: 'My Cats' })['next-version']).toBe('');
  expect(hints({ lora_name: 'My Cat' }, 7, true)['next-version']).toBe('');
});
