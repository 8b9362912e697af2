import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { type NoticeServer, startNoticeServer } from '../notices/servers.js';
import { makeTestSidecars, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { prepareStandIn, training } from './standIn.js';

let place: TestSidecars;
let sidecar: Sidecar;
let hook: NoticeServer;

/** What holds fp8 weights holds SDXL's preset for 8 GB, and no larger one. */
beforeAll(async () => {
  place = makeTestSidecars();
  hook = await startNoticeServer(() => ({ status: 204 }));
  sidecar = await place.serve({ ...prepareStandIn(place), STAND_IN_FITS: '--fp8_base' });
  await sidecar.send('PUT', 'notices/channels/webhook', { url: hook.url });
});
afterAll(async () => {
  await place.leave();
  await hook.down();
});

const ended = ({ status, queue }: SessionFacts) => !queue && ['completed', 'failed'].includes(status);
const notices = (name: string) =>
  hook
    .good()
    .map(({ body }) => JSON.parse(body.toString()).data)
    .filter(({ session }) => session === name);

/** Switched on as it is queued, or as it is made and started at once. */
async function tried(lora_name: string, vram: string, as: 'queued' | 'started'): Promise<SessionFacts> {
  const started = as === 'started';
  const more = { lora_name, vram, start: started, retry_smaller: started, enable_checkpointing: false };
  expect((await sidecar.send('POST', 'sessions', training(place, 'sdxl', more))).status).toBe(201);
  if (!started)
    expect((await sidecar.send('POST', `sessions/${lora_name}/queue`, { retry_smaller: true })).status).toBe(202);
  return sidecar.until(lora_name, (facts) => facts.attempts.length === 2 && ended(facts), 60);
}

const toldOf = (name: string) =>
  until(
    () => notices(name),
    (all) => all.length === 2,
  );

test('a training that runs out of GPU memory is tried once more with the smaller preset, and that is told', async () => {
  const done = await tried('fits', '12G', 'started');
  expect(done).toMatchObject({
    status: 'completed',
    retried_smaller: { from: '12G', to: '8G' },
    settings: { vram: '8G' },
    attempts: [{ reason_code: 'gpu_memory' }, { exit_code: 0 }],
  });
  expect(done.attempts[1]?.argv).toContain('--fp8_base');
  const told = await toldOf('fits');
  expect(told.map(({ title }) => title)).toEqual(['fits V1 ran out of GPU memory', 'fits V1 is trained']);
  expect(told[0].text).toBe('It is tried once more, with the preset 8G instead of 12G.');
});

test('never a second time, though a smaller preset is left', async () => {
  const failed = await tried('twice', '24G', 'queued');
  expect(failed).toMatchObject({ status: 'failed', reason_code: 'gpu_memory', settings: { vram: '12G' } });
  const html = await (await fetch(`${sidecar.url}sessions/twice`, { headers: { Accept: 'text/html' } })).text();
  expect(html).toContain('ran out of memory with the preset 24G, and then once more with 12G.');
  const told = await toldOf('twice');
  expect(told.map(({ title }) => title)).toEqual(['twice V1 ran out of GPU memory', 'twice V1 has failed']);
  const runs = async () => (await sidecar.get<{ work: { queue: { runs: number } } }>('diagnostics')).work.queue.runs;
  const before = await runs();
  await until(runs, (now) => now > before + 1);
  expect(await sidecar.session('twice')).toMatchObject({ queue: null, attempts: [{}, {}] });
});
