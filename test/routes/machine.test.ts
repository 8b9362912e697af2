import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readGpuLine } from '../../sidecar/telemetry/machine/gpuLines.js';
import type { MachineFacts } from '../../sidecar/telemetry/machine/machine.js';
import { isAlive, makeTestSidecars, type TestSidecars, until } from '../sidecar.js';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/nvidia-smi/${name}.csv`, import.meta.url));

let place: TestSidecars;
beforeAll(() => {
  place = makeTestSidecars();
});
afterAll(() => place.leave());

/** An nvidia-smi in PATH that runs this, and says where it is. */
function nvidiaSmi(name: string, script: string): { PATH: string } {
  const bin = join(place.folder, name);
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'nvidia-smi'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
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
  for (const words of ['GPU 0', '97 %', '23 GB of 26 GB', '72 °C', '418 of 450 W', 'Disk of outputs'])
    expect(html).toContain(words);
  const running = readFileSync(pid, 'utf8').trim().split('\n').map(Number);
  expect(running).toHaveLength(1);
  await sidecar.kill('SIGTERM');
  await until(
    () => running.filter(isAlive),
    (left) => left.length === 0,
  );
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
