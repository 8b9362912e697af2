import { expect, test } from 'vitest';
import { Problem } from '../../sidecar/problem.js';
import { practiceTrainer } from '../../sidecar/trainers/practice.js';
import { readTrainingSettings, setting } from '../../sidecar/trainers/trainingSettings.js';

const table = practiceTrainer.settings;

function problem(given: Record<string, unknown>): Problem {
  try {
    readTrainingSettings(table, given);
  } catch (error) {
    return error as Problem;
  }
  throw new Error('nothing was wrong');
}

test('nothing given means the defaults, with a value for every name of the record', () => {
  expect(readTrainingSettings(table, {})).toEqual({
    concept_sentence: '',
    gpus: '',
    more_datasets: '',
    reg_datasets: '',
    base_model: '',
    vram: '',
    num_repeats: 10,
    max_train_epochs: 16,
    sample_prompts: 'a picture of it --w 256 --h 256 --d 1',
    sample_every_n_steps: 200,
    resolution: 512,
    enable_checkpointing: true,
    enable_monitoring: false,
    retry_smaller: false,
    seed: 42,
    workers: 2,
    learning_rate: '4e-3',
    save_every_n_epochs: 2,
    guidance_scale: 1,
    timestep_sampling: 'shift',
    network_dim: 4,
  });
});

test('a form and a JSON body mean the same', () => {
  const form = { num_repeats: '3', enable_checkpointing: 'on', enable_monitoring: 'false', learning_rate: ' 8e-4 ' };
  const json = { num_repeats: 3, enable_checkpointing: true, enable_monitoring: false, learning_rate: '8e-4' };
  expect(readTrainingSettings(table, form)).toEqual(readTrainingSettings(table, json));
});

test('the learning rate stays as typed, an emptied number means its default, an emptied text means none', () => {
  const read = readTrainingSettings(table, { learning_rate: '0.00080', seed: '', sample_prompts: '' });
  expect(read).toMatchObject({ learning_rate: '0.00080', seed: 42, sample_prompts: '' });
  expect(readTrainingSettings(table, { learning_rate: 0.001 }).learning_rate).toBe('0.001');
});

test('any trigger word of one line is taken', () => {
  for (const word of ["it's", '🐈‍⬛', '"', '$(x)', 'a, b']) {
    expect(readTrainingSettings(table, { concept_sentence: word }).concept_sentence).toBe(word);
  }
  expect(problem({ concept_sentence: 'a\nb' }).fields).toEqual({
    concept_sentence: 'Must be one line.',
  });
});

test('wrong values are refused field by field', () => {
  const wrong = problem({
    num_repeats: '0',
    max_train_epochs: '1.5',
    seed: '9007199254740993',
    learning_rate: 'fast',
    network_dim: 'four',
    resolution: 1e9,
    enable_monitoring: 'maybe',
    sample_prompts: 7,
  });
  expect(wrong).toBeInstanceOf(Problem);
  expect(wrong.code).toBe('bad_settings');
  expect(wrong.fields).toEqual({
    num_repeats: 'Must be at least 1.',
    max_train_epochs: 'Must be a whole number.',
    seed: 'Is too large.',
    learning_rate: 'Must be a number, like 8e-4 or 0.0008.',
    network_dim: 'Must be a number.',
    resolution: 'Must be at most 4096.',
    enable_monitoring: 'Must be on or off.',
    sample_prompts: 'Must be text.',
  });
});

test.each(['0', '-1e-4', 'NaN', 'Infinity', '0x10', '1_000'])('a learning rate of %s is refused', (rate) => {
  expect(problem({ learning_rate: rate }).fields).toHaveProperty('learning_rate');
});

test('names that a trainer does not use are not its business', () => {
  expect(readTrainingSettings(table, { vram: 42, lora_name: 'x', workers: 'many' })).toMatchObject({
    vram: '',
    workers: 2,
  });
});

test('a choice takes one of its values', () => {
  const vram = setting('vram', { type: 'choice', default: '20G', choices: [{ value: '20G', label: '20 GB' }] });
  expect(readTrainingSettings([vram], {}).vram).toBe('20G');
  expect(() => readTrainingSettings([vram], { vram: '1G' })).toThrow('GPU memory: must be one of 20G.');
});
