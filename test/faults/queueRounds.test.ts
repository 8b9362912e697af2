import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakePython } from '../fakePython.js';
import { exampleDataset, makeTestSidecars, quick } from '../sidecar.js';
import { queueRounds } from './queueRounds.js';

/** A thousand of them, with two GPUs too, are among the faults: queue.fault.ts. */
const ROUNDS = 3;

test('random sequences of queue, stop, crash and restart: never two at once, and none is forgotten', async () => {
  const place = makeTestSidecars();
  try {
    cpSync(exampleDataset, join(place.datasets, 'example'), { recursive: true });
    const environment = { TRACKSIDE_PYTHON: fakePython(place, 'sleep 0.5') };
    const body = (lora_name: string) => ({ ...quick, max_train_epochs: 1, lora_name });
    const seed = Date.now() % 1e6;
    const rounds = await queueRounds(place, { seed, rounds: ROUNDS, environment, body, gpus: [] });
    expect(rounds).toMatchObject({ twice: [], forgotten: [] });
  } finally {
    await place.leave();
  }
}, 180_000);
