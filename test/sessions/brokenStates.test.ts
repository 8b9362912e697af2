import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCandidates } from '../../sidecar/sessions/lineage/candidates.js';
import { chooseResume } from '../../sidecar/sessions/lineage/resume.js';
import { defaultDialect } from '../../sidecar/trainers/dialects.js';
import { wholeStates, writeState } from '../faults/brokenStates.js';
import { findAmongBroken } from '../faults/states.js';
import { makeTestSidecars, quick, type TestSidecars } from '../sidecar.js';
import { newFolder } from '../trainer-bridge/practiceRun.js';

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

test('of cut, zeroed, half-deleted and half-overwritten state folders none is resumed from, and the whole one is found', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  await findAmongBroken(120, seed);
});

test('a file whose very last bytes are zeros is not whole, though torch keeps the same in another place', async () => {
  const folder = newFolder();
  const content = new Map((await wholeStates()).at(-1));
  const scheduler = Buffer.from(content.get('scheduler.bin') ?? Buffer.alloc(0));
  content.set('scheduler.bin', scheduler.fill(0, scheduler.length - 6));
  writeState(join(folder, 'cat-000001-state'), content, new Date());
  expect(await defaultDialect.states.damage(join(folder, 'cat-000001-state'))).toMatch(/^scheduler\.bin has no list/);
});

test('whole states are believed, also those with a part that was never trained', async () => {
  const states = await wholeStates();
  const untrained = new Map(states.at(-1));
  untrained.set('model.safetensors', withoutTraining(untrained.get('model.safetensors') ?? Buffer.alloc(0)));
  for (const content of [...states, untrained]) {
    const folder = newFolder();
    writeState(join(folder, 'cat-000001-state'), content, new Date());
    const of = {
      folder,
      dialect: defaultDialect,
      outputName: 'cat',
      attempts: [],
      stepsPerEpoch: 5,
      writingNow: null,
      thorough: true,
    };
    expect(chooseResume(await readCandidates(of), null, null)?.facts).toMatchObject({
      state: 'cat-000001-state',
      passed_over: [],
    });
  }
});

test('zeros in the newest state are seen on the page and by Resume, which takes the one before', async () => {
  const slow = { PRACTICE_STEP_SECONDS: '0.05' };
  const sidecar = await place.serve(slow);
  // So long that no slow stop meets its last save.
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 20, start: true });
  await sidecar.until('cat', ({ progress }) => (progress.epoch ?? 0) >= 3 && (progress.step ?? 0) > 22);
  await sidecar.send('DELETE', 'sessions/cat/attempts/current');
  const stopped = await sidecar.until('cat', ({ status }) => status === 'stopped');
  const newest = stopped.resume?.state ?? '';
  const path = join(place.outputs, 'cat', newest, 'optimizer.bin');
  const bytes = readFileSync(path);
  bytes.fill(0, Math.floor(bytes.length / 4), Math.floor(bytes.length / 4) + 64);
  writeFileSync(path, bytes);
  // As a lost power supply does it: nothing tells that the file was touched after the save.
  for (const later of ['scheduler.bin', 'random_states_0.pkl']) {
    const file = join(place.outputs, 'cat', newest, later);
    writeFileSync(file, readFileSync(file));
  }
  const shown = await sidecar.session('cat');
  expect(shown.resume?.state).not.toBe(newest);
  expect(shown.resume?.passed_over).toMatchObject([{ state: newest, reason: 'optimizer.bin is damaged inside' }]);
  const asked = await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume', state: newest });
  expect(asked).toMatchObject({ status: 422, body: { error: { message: expect.stringContaining('damaged') } } });
  await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' });
  const resumed = await sidecar.until('cat', ({ status }) => status === 'completed');
  expect(resumed.attempts.at(-1)?.resumed_from).toContain(shown.resume?.state);
});

/** All `lora_up` as they begin: zeros. */
function withoutTraining(weights: Buffer): Buffer {
  const length = Number(weights.readBigUInt64LE());
  const header = JSON.parse(weights.toString('utf8', 8, 8 + length)) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  const changed = Buffer.from(weights);
  for (const [name, { data_offsets }] of Object.entries(header)) {
    if (name.endsWith('lora_up.weight')) changed.fill(0, 8 + length + data_offsets[0], 8 + length + data_offsets[1]);
  }
  return changed;
}
