import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fromBuffer } from 'yauzl';
import { addCheckpoint } from '../bench/longTraining.js';
import { appInProcess, type InProcess } from '../inProcess.js';
import { exampleDataset } from '../sidecar.js';

const PNG = readFileSync(join(exampleDataset, '01-morning.png'));
const BEGUN = Date.UTC(2026, 0, 1);

let at: InProcess;
beforeAll(() => {
  at = appInProcess();
});
afterAll(() => at.leave());

const iso = (seconds: number) => new Date(BEGUN + seconds * 1000).toISOString();

/** A stopped session that trained 40 steps, went back to step 20 and trained on; `made` at second, by the attempt's own step. */
function sampled(name: string, made: [second: number, step: number, content?: Buffer][]): string {
  const folder = join(at.settings.outputs, name);
  mkdirSync(join(folder, 'sample'), { recursive: true });
  const told = { outcome: 'stopped', argv: [], log_start: 0, log_end: 0, stop_requested_at: iso(1) };
  const attempt = (number: number, step_offset: number, first_epoch: number) => {
    const [started_at, ended_at] = [iso((number - 1) * 1000), iso(number * 1000 - 1)];
    return {
      ...told,
      id: `a${number}`,
      number,
      kind: number > 1 ? 'resume' : 'start',
      started_at,
      ended_at,
      step_offset,
      first_epoch,
    };
  };
  const attempts = [attempt(1, 0, 1), attempt(2, 20, 3)];
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify({ lora_name: 'cat', status: 'stopped', attempts }));
  for (const [second, step, content = PNG] of made) {
    const time = iso(second).replace(/\D/g, '').slice(0, 14);
    const path = join(folder, 'sample', `${name}_${String(step).padStart(6, '0')}_00_${time}_7.png`);
    writeFileSync(path, content);
    utimesSync(path, BEGUN / 1000 + second, BEGUN / 1000 + second);
  }
  return folder;
}

// biome-ignore lint/suspicious/noExplicitAny: an answer is JSON of any shape, which the test then looks at
const json = async (path: string): Promise<any> =>
  (await at.ask(path, { headers: { Accept: 'application/json' } })).json();
const page = async (path: string) => (await at.ask(path, { headers: { Accept: 'text/html' } })).text();

test('samples of steps that were trained again are told as discarded, in the order of their steps', async () => {
  sampled('back', [
    [10, 10],
    [20, 20],
    [30, 30],
    [1010, 5],
    [1040, 30],
  ]);
  const found = await json('/sessions/back/samples');
  expect(found.map(({ step, lost }: Record<string, unknown>) => [step, lost])).toEqual(
    expect.arrayContaining([
      [10, false],
      [20, false],
      [30, true],
      [25, false],
      [50, false],
    ]),
  );
  const html = await page('/sessions/back/samples');
  expect([...html.matchAll(/<b>(step [\d\u202f]+)<\/b>/g)].map(([, label]) => label)).toEqual([
    'step 50',
    'step 30',
    'step 25',
    'step 20',
    'step 10',
  ]);
  expect(html.match(/ data-lost/g)).toHaveLength(1);
  expect(html).toContain('(discarded)');
});

test('a picture is shown small, never one that is half written, and all are one zip', async () => {
  sampled('whole', [
    [10, 10],
    [20, 20],
    [30, 20, PNG.subarray(0, 500)],
  ]);
  const found: { name: string }[] = await json('/sessions/whole/samples');
  expect(found).toHaveLength(2);
  const small = await at.ask(`/sessions/whole/samples/${found[0]?.name}?size=thumb`);
  expect([small.status, small.headers.get('content-type')]).toEqual([200, 'image/webp']);
  expect((await at.ask('/sessions/whole/samples/none_000001_00_20260101000000_7.png?size=thumb')).status).toBe(404);
  const zip = await at.ask('/sessions/whole/samples.zip');
  expect(zip.headers.get('content-disposition')).toContain('whole-samples.zip');
  expect(await namesIn(Buffer.from(await zip.arrayBuffer()))).toEqual(found.map(({ name }) => [name, PNG.length]));
});

function namesIn(zip: Buffer): Promise<[string, number][]> {
  return new Promise((resolve, reject) => {
    fromBuffer(zip, (error, archive) => {
      if (error) return reject(error);
      const names: [string, number][] = [];
      archive.on('entry', ({ fileName, uncompressedSize }) => names.push([fileName, uncompressedSize]));
      archive.on('end', () => resolve(names)).on('error', reject);
    });
  });
}

test('the best sample is kept in the record, and marks the checkpoint of its weights', async () => {
  const folder = sampled('best', [
    [10, 10],
    [1010, 5],
  ]);
  for (const epoch of [1, 2, 3]) addCheckpoint(folder, 'best', epoch);
  writeFileSync(join(folder, 'progress.json'), JSON.stringify({ steps_per_epoch: 10 }));
  const [name] = (await json('/sessions/best/samples')).flatMap((each: { step: number; name: string }) =>
    each.step === 10 ? [each.name] : [],
  );
  const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
  const change = (best: unknown) =>
    at.ask('/sessions/best', { method: 'PATCH', headers, body: JSON.stringify({ best_sample: best }) });
  expect(await (await change(name)).json()).toMatchObject({ best_sample: name });
  expect(JSON.parse(readFileSync(join(folder, 'ui_state.json'), 'utf8')).best_sample).toBe(name);
  expect(await page('/sessions/best')).toMatch(/<b>Epoch 1<\/b>\s*<span class="chip">★ best sample/i);
  expect(await page('/sessions/best/samples')).toMatch(/data-best>/);
  expect((await change(7)).status).toBe(422);
  expect(await (await change('')).json()).toMatchObject({ best_sample: null });
  expect(await page('/sessions/best')).not.toContain('★');
});
