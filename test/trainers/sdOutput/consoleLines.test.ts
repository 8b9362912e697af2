import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConsoleEvent } from '../../../sidecar/trainers/console.js';
import { type ConsoleState, readConsole, startConsole } from '../../../sidecar/trainers/sdOutput/consoleLines.js';
import { consoleReader } from '../../../sidecar/trainers/sdOutput/consoleReader.js';
import { FIXTURES, fixture } from '../fixtures.js';

function readAll(chunks: string[]): { state: ConsoleState; events: ConsoleEvent[] } {
  let state = startConsole();
  const events: ConsoleEvent[] = [];
  for (const chunk of chunks) {
    const read = readConsole(state, chunk);
    // As it lies in progress.json between two sidecars.
    state = JSON.parse(JSON.stringify(read.state));
    events.push(...read.events);
  }
  return { state, events };
}

function paths(events: ConsoleEvent[], type: ConsoleEvent['type']): string[] {
  return events.flatMap((event) => (event.type === type && 'path' in event ? [event.path] : []));
}

/** As it comes through one descriptor: the marker of the runner, stdout and stderr, cut together at a line. */
function oneLog(run: string): string {
  const [before = '', ...epochs] = fixture(`${run}/stdout.log`).split(/(?=\nepoch )/);
  const marker = '\n── attempt 2 · resume · 2026-11-22T03:12:00.000Z ──\n';
  const stderr = fixture(`${run}/stderr.log`);
  const bar = stderr.indexOf('\rsteps:');
  return `${marker}${before}${stderr.slice(0, bar)}${epochs.join('')}${stderr.slice(bar)}`;
}

const bar = (n: number, loss: string) => `\rsteps:  21%|##        | ${n}/24 [00:07<00:27,  1.46s/it, ${loss}]`;

describe('a run of sd-scripts', () => {
  test.each([
    { run: 'full-run', step: 24, epoch: 3, out: '/gpu-pod/run/out1', resumed: null },
    { run: 'tiny-output', step: 24, epoch: 3, out: '/gpu-pod/run/outT', resumed: null },
    {
      run: 'interrupted-run',
      step: 16,
      epoch: 3,
      out: '/gpu-pod/run/outA',
      resumed: '/gpu-pod/run/out1/mylora-000001-state',
    },
  ])('$run is understood from its console alone', ({ run, step, epoch, out, resumed }) => {
    const { state } = readAll([oneLog(run)]);
    expect(state).toMatchObject({
      phase: 'ended',
      step,
      total: 24,
      epoch,
      epochs: 3,
      imagesWithRepeats: 8,
      batchesPerEpoch: 8,
      accumulation: 1,
      totalSteps: 24,
      savingState: null,
      lastStateSaved: `${out}/mylora-state`,
      lastCheckpoint: `${out}/mylora.safetensors`,
      resumedFrom: resumed,
      finished: true,
    });
    expect(consoleReader.facts(state, null).stepsPerEpoch).toBe(8);
  });

  test('every state folder is seen begun and then saved, though its path is broken over lines', () => {
    const { events } = readAll([fixture('full-run/stderr.log')]);
    const names = ['step00000005', '000001', 'step00000010', 'step00000015', '000002', 'step00000020'];
    const folders = [
      ...names.map((name) => `/gpu-pod/run/out1/mylora-${name}-state`),
      '/gpu-pod/run/out1/mylora-state',
    ];
    expect(paths(events, 'state-begun')).toEqual(folders);
    expect(paths(events, 'state-saved')).toEqual(folders);
    const saves = events.filter(({ type }) => type === 'state-begun' || type === 'state-saved').map(({ type }) => type);
    expect(saves).toEqual(folders.flatMap(() => ['state-begun', 'state-saved']));
  });

  test('every checkpoint is seen', () => {
    expect(paths(readAll([fixture('interrupted-run/stdout.log')]).events, 'checkpoint')).toEqual([
      '/gpu-pod/run/outA/mylora-step00000005.safetensors',
      '/gpu-pod/run/outA/mylora-000002.safetensors',
      '/gpu-pod/run/outA/mylora-step00000010.safetensors',
      '/gpu-pod/run/outA/mylora-step00000015.safetensors',
      '/gpu-pod/run/outA/mylora.safetensors',
    ]);
  });

  test('the steps rise one by one, and a bar that is printed again is no new step', () => {
    const steps = readAll([fixture('full-run/stderr.log')]).events.flatMap((event) =>
      event.type === 'step' ? [event.step] : [],
    );
    expect([...new Set(steps)]).toEqual(Array.from({ length: 25 }, (_, step) => step));
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });

  test('its phases come in the order in which it lived them', () => {
    const phases = readAll([oneLog('tiny-output')]).events.flatMap((event) =>
      event.type === 'phase' ? [event.phase] : [],
    );
    expect(phases.join(', ')).toMatch(
      /^loading, .*caching latents, .*training, saving, sampling, training, saving, sampling, training, sampling, finishing, ended$/,
    );
  });
});

describe('a run that failed', () => {
  test.each([
    ['bad_out_finished', { phase: 'loading', step: null, resumedFrom: '/gpu-pod/run/out1/mylora-state' }],
    ['bad_out_missingdir', { phase: 'loading', resumedFrom: '/gpu-pod/run/out1/nope-state' }],
    ['bad_out_noopt', { phase: 'loading', finished: false }],
    ['bad_out_norand', { phase: 'ended', step: 8, total: 16, loss: 1.09, finished: true }],
    ['bad_out_otherdim', { phase: 'loading', finished: false }],
    ['badtoml', { step: null, finished: false }],
    ['nodata', { phase: 'loading', step: null, finished: false }],
    ['sig_child_SIGKILL', { phase: 'training', total: 400, finished: false }],
    ['sig_group_SIGTERM', { phase: 'training', step: 3, total: 400, loss: 1.13, finished: false }],
    ['sig_launcher_SIGTERM', { phase: 'training', step: 16, total: 400, loss: 1.02, finished: false }],
  ])('%s is left where it stood', (name, expected) => {
    expect(readAll([fixture(`failures/${name}.stderr.log`)]).state).toMatchObject(expected);
  });
});

describe('lines', () => {
  test.each([
    ['a loss', bar(5, 'avr_loss=1.12'), { step: 5, total: 24, loss: 1.12 }],
    ['a tiny loss', bar(5, 'avr_loss=1e-05'), { loss: 1e-5 }],
    ['no number', bar(5, 'avr_loss=nan'), { loss: 'nan' }],
    ['more than the loss', bar(5, 'Average key norm=0.00166, Keys Scaled=0, avr_loss=1.13'), { loss: 1.13 }],
    ['no loss yet', '\rsteps:   0%|          | 0/24 [00:00<?, ?it/s]', { step: 0, loss: null, phase: 'training' }],
    ['hours', '\rsteps:  50%|█████     | 800/1600 [1:02:03<2:03:04,  4.2it/s, avr_loss=0.1]', { step: 800 }],
    ['other bars', '\rvalidation steps:  50%|#####     | 1/2 [00:01<00:01,  1.51s/it]\r', { step: null }],
    ['a sampling bar', '\r  0%|          | 0/2 [00:00<?, ?it/s]\u001b[A\n', { step: null }],
    ['colours', '\u001b[1msteps:  21%|## | 5/24 [00:07<00:27,  1.46s/it]\u001b[0m\n', { step: 5 }],
    ['plain log lines', '\nSaving current state to /o/it-state\n', { savingState: '/o/it-state', phase: 'saving' }],
    ['accumulation', '  gradient accumulation steps / 勾配を合計するステップ数 = 3\n', { accumulation: 3 }],
    ['a silent minute', '  total optimization steps / 学習ステップ数: 24\n', { phase: 'hashing base model' }],
  ])('%s', (_, text, expected) => {
    expect(readAll([text]).state).toMatchObject(expected);
  });

  test('batches that do not divide by the accumulation make one more step', () => {
    expect(consoleReader.facts({ batchesPerEpoch: 8, accumulation: 3 }, null).stepsPerEpoch).toBe(3);
  });

  test('a step and the end of a save show at once, not only when the next line comes', () => {
    expect(readAll([bar(5, 'avr_loss=1')]).state.step).toBe(5);
    const saved = `                    INFO     Random states saved in /o/it-state/random_states_0.pkl   checkpointing.py:170\n`;
    expect(readAll([saved]).state.lastStateSaved).toBe('/o/it-state');
  });

  test('a line without end is not kept', () => {
    const { state } = readAll(Array.from({ length: 1000 }, () => 'x'.repeat(10_000)));
    expect(JSON.stringify(state).length).toBeLessThan(20_000);
  });
});

test.each(['full-run', 'tiny-output', 'interrupted-run'])('%s read in any pieces gives the same', (run) => {
  const text = oneLog(run);
  const whole = readAll([text]);
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 400 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), text.length];
      expect(readAll(at.slice(1).map((end, index) => text.slice(at[index], end)))).toEqual(whole);
    }),
    { numRuns: 30 },
  );
  expect(readAll([...text])).toEqual(whole);
});

const LOGS = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.log'));

test.each(LOGS)('%s cut at any bytes, in the middle of a letter too, gives the same', (path) => {
  const bytes = readFileSync(join(FIXTURES, path));
  const whole = readAll([bytes.toString('utf8')]);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 200 }), (cuts) => {
      const decoder = new StringDecoder('utf8');
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const pieces = at.slice(1).map((end, index) => decoder.write(bytes.subarray(at[index], end)));
      expect(readAll(pieces)).toEqual(whole);
    }),
    { numRuns: 15 },
  );
});

test.each([
  ['failures/bad_out_finished', { finished: false, step: null, phase: 'loading' }],
  ['failures/sig_child_SIGKILL', { finished: false, phase: 'training' }],
  ['failures/sig_group_SIGTERM', { finished: false, phase: 'training' }],
  ['failures/bad_out_norand', { finished: true, phase: 'ended', resumedFrom: '/gpu-pod/run/bad/norand' }],
  ['failures/hub_offline', { finished: false, step: null }],
])('how far %s came is told', (path, expected) => {
  expect(readAll([fixture(`${path}.stderr.log`)]).state).toMatchObject(expected);
});

test('what happens between steps shows as phases, and training goes on after it', () => {
  const phases = readAll([
    '                    INFO     caching latents...                              train_util.py:1170\n',
    '  total optimization steps / 学習ステップ数: 24\n',
    '\nepoch 1/3\n\n',
    bar(1, 'avr_loss=nan'),
    '\nsaving checkpoint: /o/it-step00000001.safetensors\n',
    bar(2, 'avr_loss=nan'),
    '                    INFO     generating sample images at step / サンプル画像生成 ステップ: 2    train_util.py:6394\n',
    '\r  0%|          | 0/2 [00:00<?, ?it/s]\r 50%|#####     | 1/2 [00:00<00:00,  3.51it/s]',
    bar(3, 'avr_loss=0.5'),
    '                    INFO     saving last state.                              train_util.py:5990\n\n',
  ]);
  const entered = phases.events.flatMap((event) => (event.type === 'phase' ? [event.phase] : []));
  expect(entered).toEqual([
    ...['caching latents', 'hashing base model', 'training', 'saving', 'training', 'sampling', 'training', 'finishing'],
  ]);
  const losses = phases.events.flatMap((event) => (event.type === 'step' ? [event.loss] : []));
  expect(losses).toEqual(['nan', 'nan', 0.5]);
});

test.each([
  ['loss by its old name', 'steps:   1%|▏    | 9/700 [00:53<2:05:34,  3.59s/it, loss=0.25]', 9, 700, 0.25],
  [
    'both, as older releases print them',
    'steps:   1%|▏| 9/700 [00:53<2:05:34, 3.59s/it, loss=0.5, avr_loss=0.25]',
    9,
    700,
    0.25,
  ],
  ['a window without a width', 'steps:   1% 9/700 [00:53<2:05:34,  3.59s/it, avr_loss=0.25]', 9, 700, 0.25],
  ['a capital', 'Steps:   1%|▏    | 9/700 [00:53<2:05:34,  1.59it/s, loss=0.25, lr=1e-6]', 9, 700, 0.25],
  ['no loss yet', 'steps:   1% 9/700 [00:53<?, ?it/s]', 9, 700, null],
])('a bar with %s', (_, line, step, total, loss) => {
  expect(readAll([`${line}\r`]).state).toMatchObject({ phase: 'training', step, total, loss });
});

test.each([
  'saved at step 8: /out/cat-step00000008-state (2.0 MB in 0.10 s)',
  'sampled at step 8',
  'paused at step 8: /out/cat-step00000008-state (2.0 MB in 0.10 s)',
])('what could not be done is told until something is: %s', (done) => {
  const refused = 'could not sample at step 7: No space left on device';
  const before = `\ntrackside: ${refused}. The training goes on\n`;
  expect(readAll([before]).state.refused).toBe(refused);
  expect(readAll([before, `\ntrackside: ${done}\n`]).state.refused).toBeNull();
});
