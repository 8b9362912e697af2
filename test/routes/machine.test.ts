import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAmdSmi, parseRocmSmi } from '../../sidecar/telemetry/machine/amdGpus.js';
import { readGpuLine } from '../../sidecar/telemetry/machine/gpuLines.js';
import type { MachineFacts } from '../../sidecar/telemetry/machine/machine.js';
import { prepareStandIn, training } from '../sd-scripts/standIn.js';
import { isAlive, makeTestSidecars, type TestSidecars, until } from '../sidecar.js';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/nvidia-smi/${name}.csv`, import.meta.url));
const amd = (name: string) => fileURLToPath(new URL(`../fixtures/amd-smi/${name}.json`, import.meta.url));

let place: TestSidecars;
let standIn: NodeJS.ProcessEnv;
beforeAll(() => {
  place = makeTestSidecars();
  standIn = prepareStandIn(place);
});
afterAll(() => place.leave());

/** An nvidia-smi, or another program, in PATH that runs this, and says where it is. */
function nvidiaSmi(name: string, script: string, program = 'nvidia-smi'): { PATH: string } {
  const bin = join(place.folder, name);
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { PATH: `${bin}:${process.env.PATH}` };
}

const gpusOf = (name: string) => readFileSync(fixture(name), 'utf8').trim().split('\n').map(readGpuLine);

test('what a GPU does not tell is unknown, and not zero', () => {
  const eight = gpusOf('eight');
  expect(eight).toHaveLength(8);
  expect(eight[7]).toMatchObject({ index: 7, use: null, fan: null, slowed: [] });
  expect(eight[6]).toMatchObject({ memoryUsed: null, memoryTotal: 81559 * 1024 * 1024 });
  expect(eight[5]?.power).toBeNull();
  expect(eight[4]?.slowed).toEqual(['too warm', 'too warm (hardware)']);
  expect(gpusOf('one')[0]).toMatchObject({
    name: 'NVIDIA GeForce RTX 4090',
    use: 98,
    temperature: 71,
    power: 412.83,
    slowed: ['power limit'],
  });
  for (const words of [
    '',
    'No devices were found',
    'NVIDIA-SMI has failed because it couldn’t communicate with the driver.',
  ]) {
    expect(readGpuLine(words)).toBeNull();
  }
});

test('one nvidia-smi is kept running, in an older driver’s words too, and ends with the sidecar', async () => {
  const pid = join(place.folder, 'pid');
  const old =
    'case "$*" in *clocks_event*) echo "Field \\"clocks_event_reasons.active\\" is not a valid field to query."; exit 2;; esac';
  const sidecar = await place.serve(
    nvidiaSmi('old', `${old}\necho $$ >> ${pid}\nwhile :; do cat ${fixture('one')}; sleep 1; done`),
  );
  const facts = await until(
    () => sidecar.get<MachineFacts>('machine'),
    ({ now }) => (now?.gpus.length ?? 0) > 0,
  );
  expect(facts).toMatchObject({
    no_gpu: null,
    now: { gpus: [{ use: 97, slowed: [] }], processors: expect.any(Number) },
  });
  expect(facts.now?.memoryTotal).toBeGreaterThan(facts.now?.memoryUsed ?? Number.NaN);
  const html = await (await fetch(new URL('machine', sidecar.url), { headers: { Accept: 'text/html' } })).text();
  for (const words of ['GPU 0', '97 %', '23 GB of 26 GB', '72 °C', '418 of 450 W', 'GB free', 'the last ten minutes'])
    expect(html).toContain(words);
  const running = readFileSync(pid, 'utf8').trim().split('\n').map(Number);
  expect(running).toHaveLength(1);
  await sidecar.kill('SIGTERM');
  await until(
    () => running.filter(isAlive),
    (left) => left.length === 0,
  );
});

test('AMD’s GPUs tell the same through their own programs, and the most memory that a training took of them is kept', async () => {
  const [one, two] = parseAmdSmi(readFileSync(amd('metric'), 'utf8'), readFileSync(amd('static'), 'utf8'));
  expect(one).toMatchObject({ name: 'AMD Instinct MI300X', use: 97, temperature: 67, power: 512, powerLimit: 750 });
  expect(one).toMatchObject({ memoryUsed: 40960 * 2 ** 20, memoryTotal: 196592 * 2 ** 20, fan: null, slowed: null });
  expect(two).toMatchObject({ index: 1, name: 'AMD GPU', use: null, memoryUsed: null, power: null, temperature: 35 });
  const older = JSON.stringify(JSON.parse(readFileSync(amd('metric'), 'utf8')).gpu_data);
  expect(parseAmdSmi(older, '')).toMatchObject([{ use: 97, name: 'AMD GPU' }, { index: 1 }]);
  expect(parseRocmSmi(readFileSync(amd('rocm-smi'), 'utf8'))).toMatchObject([
    { index: 0, name: 'Radeon RX 7900 XTX', use: 88, memoryUsed: 20 * 2 ** 30, temperature: 78, power: 301, fan: 49 },
  ]);
  for (const words of ['', '[]', '{"card0": 5}', 'ERROR: no amdgpu driver'])
    expect([...parseAmdSmi(words, words), ...parseRocmSmi(words)]).toEqual([]);
  const script = `case "$1" in metric) cat ${amd('metric')};; *) cat ${amd('static')};; esac`;
  const { PATH } = nvidiaSmi('amd', script, 'amd-smi');
  const sidecar = await place.serve({ ...standIn, PATH });
  const { no_gpu } = await until(
    () => sidecar.get<MachineFacts>('machine'),
    ({ now }) => now?.gpus.length === 2,
  );
  expect(no_gpu).toBeNull();
  const begun = await sidecar.send(
    'POST',
    'sessions',
    training(place, 'sd1', { lora_name: 'cat', vram: '6G', max_train_epochs: 100 }),
  );
  expect(begun, JSON.stringify(begun.body)).toMatchObject({ status: 201 });
  await sidecar.until('cat', ({ attempts }) => attempts[0]?.peak_gpu_memory === one?.memoryUsed);
  const page = await fetch(new URL('machine', sidecar.url), { headers: { Accept: 'text/html' } });
  expect(await page.text()).toMatch(/Trains <a[^>]*>cat V1<\/a>, process \d+/);
  await sidecar.send('DELETE', 'sessions/cat/attempts/current');
  await sidecar.until('cat', ({ status }) => status === 'stopped');
  await sidecar.kill('SIGTERM');
});

test('a machine without a GPU says so, and the rest is told', async () => {
  const sidecar = await place.serve(nvidiaSmi('none', 'echo "No devices were found"; exit 6'));
  const facts = await until(
    () => sidecar.get<MachineFacts>('machine'),
    ({ now, no_gpu }) => now !== null && /says/.test(no_gpu ?? ''),
  );
  expect(facts.no_gpu).toBe('No GPU was found: nvidia-smi says “No devices were found”.');
  expect(facts.now?.diskFree).toBeGreaterThan(0);
  await sidecar.kill('SIGTERM');
});
