import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bridge } from '../../sidecar/bridge.js';
import { findTrainer } from '../../sidecar/trainers/catalogue.js';
import { explainEnd } from '../../sidecar/trainers/causes/explainEnd.js';
import type { Exit } from '../../sidecar/trainers/dialect.js';
import { expectedSteps } from '../../sidecar/trainers/expectedSteps.js';
import { readCheckpoints } from '../../sidecar/trainers/sdOutput/checkpoints.js';
import { readConsole, startConsole } from '../../sidecar/trainers/sdOutput/consoleLines.js';
import { consoleReader } from '../../sidecar/trainers/sdOutput/consoleReader.js';
import { resumeRecipe } from '../../sidecar/trainers/sdOutput/resumeRecipe.js';
import { readSamples } from '../../sidecar/trainers/sdOutput/samples.js';
import { readScalars } from '../../sidecar/trainers/sdOutput/scalars.js';
import { readStateFolders } from '../../sidecar/trainers/sdOutput/stateFolders.js';
import type { TrainingInput } from '../../sidecar/trainers/trainer.js';
import { readTrainingSettings } from '../../sidecar/trainers/trainingSettings.js';
import { temporaryFolder } from './fixtures.js';

const places = {
  models: '/models',
  sdScripts: '/nowhere',
  python: 'python3',
  root: '/nowhere',
  private: '/nowhere',
  trainers: '',
};
const practice = findTrainer(places, 'practice');
const quick = {
  num_repeats: 1,
  save_every_n_epochs: 1,
  sample_prompts: 'it --w 64 --h 64 --d 1',
  sample_every_n_steps: 10,
  resolution: 64,
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let output: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  output = join(folder.path, 'it');
  await mkdir(output);
});
afterEach(() => folder.remove());

/** Runs the practice trainer as a session does, and answers how it ended and what it printed. */
async function train(
  settings: Record<string, unknown>,
  more: Partial<TrainingInput> = {},
): Promise<{ exit: Exit; log: string }> {
  const input: TrainingInput = {
    settings: readTrainingSettings(practice.settings, { ...quick, ...settings }),
    arguments: {},
    datasetPath: bridge.example,
    outputPath: output,
    outputName: 'it',
    resume: null,
    gpus: [],
    python: 'python3',
    ...more,
  };
  const log = join(folder.path, 'log');
  const command = practice.command(input);
  for (const { name, content } of practice.files(input, command)) await writeFile(join(output, name), content);
  const { argv, cwd } = command;
  const descriptor = openSync(log, 'w');
  const env = { ...process.env, PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' };
  const child = spawn(argv[0] ?? '', argv.slice(1), { cwd, env, stdio: ['ignore', descriptor, descriptor] });
  closeSync(descriptor);
  const exit = await new Promise<Exit>((ended) =>
    child.once('close', (code, signal) => ended({ code, signal, oomKilled: false, oomKills: null })),
  );
  return { exit, log: await readFile(log, 'utf8') };
}

test('what the practice trainer prints and writes is understood, and a resume goes on from its last state', async () => {
  const first = await train({ max_train_epochs: 2 });
  const shown = readConsole(startConsole(), first.log).state;
  expect(first.exit.code).toBe(0);
  expect(shown).toMatchObject({
    phase: 'ended',
    finished: true,
    epoch: 2,
    epochs: 2,
    savingState: null,
    resumedFrom: null,
  });
  expect(shown.step).toBe(expectedSteps({ images: 10, repeats: 1, epochs: 2, batchSize: 1, accumulation: 1 }));

  const states = await readStateFolders(output, 'it');
  expect(states.map(({ name, complete }) => [name, complete])).toEqual([
    ['it-state', true],
    ['it-000001-state', true],
  ]);
  const checkpoints = await readCheckpoints(output, 'it');
  expect(checkpoints.every(({ whole, told }) => whole && told.ss_network_dim === '4')).toBe(true);
  expect((await readSamples(output)).map(({ step }) => step).sort()).toEqual([10, 20]);
  expect((await readScalars(join(output, 'logs'))).points.filter(({ tag }) => tag === 'loss/current')).toHaveLength(20);

  const recipe =
    states[0] &&
    resumeRecipe(states[0], consoleReader.facts(shown, null).stepsPerEpoch ?? 0, {
      stepOffset: 0,
      firstEpoch: 1,
      stepsPerEpoch: null,
    });
  expect(recipe).toMatchObject({ epoch: 2, step: 20, firstEpoch: 3, stepOffset: 20 });
  const resume = { statePath: join(output, 'it-state'), firstEpoch: recipe?.firstEpoch ?? 0, firstStep: 20 };
  const second = await train({ max_train_epochs: 3 }, { resume });
  expect(readConsole(startConsole(), second.log).state).toMatchObject({
    finished: true,
    resumedFrom: join(output, 'it-state'),
    epoch: 3,
    step: 10,
    totalSteps: 30,
  });
  expect((await readStateFolders(output, 'it'))[0]).toMatchObject({
    name: 'it-state',
    currentEpoch: 3,
    complete: true,
  });
});

test('why it failed is told in words', async () => {
  const resume = { statePath: join(output, 'gone-state'), firstEpoch: 2, firstStep: 10 };
  const gone = await train({}, { resume });
  expect(explainEnd(gone.log, gone.exit).words).toMatch(/^The state folder .*gone-state no longer exists\./);

  await mkdir(join(folder.path, 'empty'));
  const empty = await train({}, { datasetPath: join(folder.path, 'empty') });
  expect(explainEnd(empty.log, empty.exit).words).toMatch(/^The trainer found no pictures in the dataset\./);

  const unknown = await train({}, { arguments: { bogus: 'x' } });
  expect(explainEnd(unknown.log, unknown.exit).words).toBe(
    'The trainer does not know these arguments: --bogus=x. Remove them.',
  );

  await writeFile(join(folder.path, 'empty', 'broken.png'), 'not a picture');
  const broken = await train({}, { datasetPath: join(folder.path, 'empty') });
  expect(explainEnd(broken.log, broken.exit).words).toMatch(/broken\.png/);
});
