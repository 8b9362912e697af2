import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakePython } from '../fakePython.js';
import { prepareStandIn, training } from '../sd-scripts/standIn.js';
import { exampleDataset, makeTestSidecars, quick } from '../sidecar.js';
import { queueRounds } from './queueRounds.js';

const ROUNDS = Number(process.env.QUEUE_ROUNDS ?? 500);
const seed = () => Number(process.env.QUEUE_SEED ?? Date.now() % 1e6);
const HOURS = { timeout: 4 * 3600 * 1000 };

test(
  'random sequences of queue, stop, crash and restart on two GPUs: never two on one, and none is forgotten',
  HOURS,
  async () => {
    const place = makeTestSidecars();
    try {
      mkdirSync(place.folder, { recursive: true });
      const environment = { ...prepareStandIn(place), PRACTICE_STEP_SECONDS: '0.01' };
      const body = (lora_name: string, gpus: string) =>
        training(place, 'sd1', { lora_name, gpus, max_train_epochs: 1, start: false });
      const rounds = await queueRounds(place, {
        ...{ seed: seed(), rounds: ROUNDS, environment, body },
        gpus: ['', '', '0', '1', '0,1', 'all'],
      });
      expect(rounds).toMatchObject({ twice: [], forgotten: [] });
      console.log(
        `${rounds.rounds} sequences on two GPUs, ${rounds.begun} trainings: ${JSON.stringify(rounds.actions)}`,
      );
    } finally {
      await place.leave();
    }
  },
);

test('the same where no GPU is known: one at a time', HOURS, async () => {
  const place = makeTestSidecars();
  try {
    cpSync(exampleDataset, join(place.datasets, 'example'), { recursive: true });
    const environment = { TRACKSIDE_PYTHON: fakePython(place, 'sleep 0.5') };
    const body = (lora_name: string) => ({ ...quick, max_train_epochs: 1, lora_name });
    const rounds = await queueRounds(place, {
      ...{ seed: seed(), rounds: ROUNDS, environment, body },
      gpus: [],
    });
    expect(rounds).toMatchObject({ twice: [], forgotten: [] });
    console.log(
      `${rounds.rounds} sequences without a GPU, ${rounds.begun} trainings: ${JSON.stringify(rounds.actions)}`,
    );
  } finally {
    await place.leave();
  }
});
