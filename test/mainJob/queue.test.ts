import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareStandIn, training } from '../sd-scripts/standIn.js';
import { makeTestSidecars, type Sidecar, type TestSidecars } from '../sidecar.js';

/** Two GPUs, of which a file says how much memory is free. */
let place: TestSidecars;
let sidecar: Sidecar;
let environment: NodeJS.ProcessEnv;
const free = (...megabytes: number[]) =>
  writeFileSync(
    join(place.folder, 'gpus'),
    megabytes.map((each, index) => `${index}, NVIDIA L40S, 570.86.15, 46068, ${each}\n`).join(''),
  );

beforeAll(async () => {
  place = makeTestSidecars();
  mkdirSync(place.folder, { recursive: true });
  environment = { ...prepareStandIn(place), PRACTICE_STEP_SECONDS: '0.1' };
  free(45_500, 45_500);
  const gpus = join(place.folder, 'gpus');
  // Asked for news again and again, it tells of each: use, memory in use and in all, °C, W, of W, fan.
  const news = `awk -F', ' '{ print $1 ", GPU-" $1 ", " $2 ", 90, " $4 - $5 ", " $4 ", 60, 200.5, 300, [N/A], 0x0" }' ${gpus}`;
  const script = `case "$*" in *-lms*) while ${news}; do sleep 0.2; done;; *) cat ${gpus};; esac`;
  writeFileSync(join(place.folder, 'programs', 'nvidia-smi'), `#!/bin/sh\n${script}\n`);
  sidecar = await place.serve(environment);
});
afterAll(() => place.leave());

type Queue = {
  queue: { session: string; place: number; waits: string | null; failed: string | null; held: boolean }[];
};
const queue = async () => (await sidecar.get<Queue>('queue')).queue;
const names = async () => (await queue()).map(({ session }) => session);
const record = (name: string) => JSON.parse(readFileSync(join(place.outputs, name, 'ui_state.json'), 'utf8'));
const make = (lora_name: string, more: object = {}, flags: object = {}) =>
  sidecar.send('POST', 'sessions', training(place, 'sd1', { lora_name, max_train_epochs: 100, ...more }, flags));
const is = (name: string, status: string) => sidecar.until(name, (facts) => facts.status === status, 60);
const stop = (name: string) => sidecar.send('DELETE', `sessions/${name}/attempts/current`);

test('a start on a GPU that is in use waits, and begins once its memory is back, not when a status says so', async () => {
  expect((await make('holder', { gpus: '0' })).status).toBe(201);
  await is('holder', 'running');
  free(9000, 45_500);
  const waiting = await make('cat', { gpus: '0', queue: true });
  expect(waiting).toMatchObject({ status: 201, body: { status: 'pending', queue: { gpus: '0' } } });
  expect(record('cat')).toMatchObject({ status: 'pending', queue: { position: 1, held: false }, attempts: [] });
  expect(await sidecar.until('cat', (facts) => facts.queue?.waits !== null)).toMatchObject({
    queue: { place: 1, waits: 'GPU 0 is in use by holder.' },
  });
  const peak = (46_068 - 9000) * 1024 * 1024;
  await sidecar.until('holder', ({ attempts }) => attempts[0]?.peak_gpu_memory === peak);
  expect((await stop('holder')).status).toBe(202);
  await is('holder', 'stopped');
  expect(record('holder').attempts[0]).toMatchObject({ peak_gpu_memory: peak });
  const compared = await sidecar.get<{ sessions: { peak_gpu_memory: number }[] }>('compare?sessions=holder,cat');
  expect(compared.sessions[0]?.peak_gpu_memory).toBe(peak);
  await sidecar.until('cat', (facts) => /36 of 45 GB in use by another program/.test(facts.queue?.waits ?? ''), 60);
  free(45_500, 45_500);
  const begun = await is('cat', 'running');
  expect(begun).toMatchObject({ queue: null, attempts: [{ number: 1, gpus: [0] }], settings: { gpus: '0' } });
  expect(record('cat').queue).toBeUndefined();
});

describe('behind a training that holds GPU 0', () => {
  test('the order is changed by names and by steps, a hold stops one, and a draft in the queue is still edited', async () => {
    for (const name of ['a', 'b', 'c']) await make(name, { gpus: '0', queue: true });
    expect(await names()).toEqual(['a', 'b', 'c']);
    const change = (body: object) => sidecar.send('PATCH', 'queue', body);
    expect((await change({ order: ['c', 'a'] })).body.queue.map(({ session }: { session: string }) => session)).toEqual(
      ['c', 'a', 'b'],
    );
    await change({ session: 'b', move: 'up' });
    expect(await names()).toEqual(['c', 'b', 'a']);
    await change({ session: 'c', held: true });
    expect((await change({ session: 'nobody', held: true })).body.error).toMatchObject({ code: 'not_queued' });
    expect((await change({ move: 'up' })).body.error).toMatchObject({ code: 'bad_queue', field: 'session' });
    const edited = await sidecar.send('PATCH', 'sessions/b', { max_train_epochs: 1 });
    expect(edited.body).toMatchObject({ status: 'pending', settings: { max_train_epochs: 1 } });
  });

  test('after a crash of Trackside all of them wait as before, and one whose start is refused does not stop the rest', async () => {
    const before = (await queue()).map(({ session, held }) => ({ session, held }));
    await sidecar.kill('SIGKILL');
    // Nobody is there to see that its pictures are gone.
    const cut = record('a');
    writeFileSync(
      join(place.outputs, 'b', 'ui_state.json'),
      JSON.stringify({ ...record('b'), dataset: { path: join(place.datasets, 'gone') } }),
    );
    expect(cut.queue.held).toBe(false);
    sidecar = await place.serve(environment);
    expect((await queue()).map(({ session, held }) => ({ session, held }))).toEqual(before);
    await stop('cat');
    await is('a', 'running');
    expect(await queue()).toMatchObject([
      { session: 'c', held: true, waits: 'It is on hold.' },
      { session: 'b', failed: expect.stringContaining('gone') },
    ]);
    expect(await sidecar.session('b')).toMatchObject({ status: 'pending', reason: expect.stringContaining('gone') });
  });

  test('Stop takes one out of the queue, which is then the draft that it was', async () => {
    expect((await stop('c')).body).toMatchObject({ status: 'draft', queue: null });
    expect((await sidecar.send('DELETE', 'sessions/b/queue')).body).toMatchObject({ status: 'draft' });
    expect(await names()).toEqual([]);
    expect((await sidecar.send('DELETE', 'sessions/b/queue')).body.error).toMatchObject({ code: 'not_queued' });
    await stop('a');
    await is('a', 'stopped');
  });
});
