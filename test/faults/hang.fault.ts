import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exampleDataset, makeTestSidecars, projectRoot, type TestSidecars, until } from '../sidecar.js';
import { lacks, measured } from './needs.js';

const skip = lacks('fusepy (apt-get install python3-fusepy, as root)');
const SECONDS = 12;

let place: TestSidecars;
let mounted: string[] = [];
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(async () => {
  rmSync(join(place.folder, 'hang'), { force: true });
  await place.leave().catch(() => {});
  for (const each of mounted) execFileSync('umount', ['-l', each]);
  mounted = [];
  await place.leave();
});

/** A volume at a folder, with a session and a dataset in it, that hangs while the file `hang` is there. */
async function mount(folder: string): Promise<void> {
  const source = join(place.folder, 'source');
  mkdirSync(join(source, 'cat'), { recursive: true });
  cpSync(exampleDataset, join(source, 'example'), { recursive: true });
  writeFileSync(join(source, 'cat', 'ui_state.json'), '{"lora_name":"cat","trainer":"practice","status":"stopped"}');
  mkdirSync(folder, { recursive: true });
  const program = join(projectRoot, 'test/faults/fixtures/hangingVolume.py');
  spawn('/usr/bin/python3', [program, source, folder, join(place.folder, 'hang')], { stdio: 'ignore' }).unref();
  const isMounted = async () => execFileSync('cat', ['/proc/self/mounts'], { encoding: 'utf8' }).includes(folder);
  await until(isMounted, (now) => now, 10);
  mounted.push(folder);
}

test.skipIf(skip).each([
  ['outputs', 'sessions/cat', 200],
  ['datasets', 'datasets/example', 200],
] as const)('a volume that hangs under the %s holds nothing else up, and is told', async (root, address, status) => {
  await mount(place[root]);
  const sidecar = await place.serve();
  expect((await sidecar.send('GET', address)).status).toBe(status);
  writeFileSync(join(place.folder, 'hang'), '');

  let slowest = 0;
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end; ) {
    const asked = performance.now();
    expect((await sidecar.send('GET', 'healthz')).status).toBe(200);
    slowest = Math.max(slowest, performance.now() - asked);
  }
  expect(slowest).toBeLessThan(2000);
  expect(await sidecar.send('GET', address)).toMatchObject({ status: 503, body: { error: {} } });
  const listed = await sidecar.get<{ name: string }[]>('sessions');
  expect(listed.map(({ name }) => name)).toEqual(root === 'outputs' ? expect.arrayContaining(['cat']) : []);
  if (root === 'outputs') expect(await (await fetch(sidecar.url)).text()).toContain('does not answer');

  rmSync(join(place.folder, 'hang'));
  await until(
    async () => (await sidecar.send('GET', address)).status,
    (now) => now === status,
    20,
  );
  measured(26, `${root} hang for ${SECONDS} s: the slowest of all other answers ${(slowest / 1000).toFixed(2)} s`);
});

test.skipIf(skip)(
  'a volume that hangs as Trackside starts is told on the page, and read as soon as it answers',
  async () => {
    await mount(place.outputs);
    writeFileSync(join(place.folder, 'hang'), '');
    const begun = performance.now();
    const sidecar = await place.serve();
    const started = (performance.now() - begun) / 1000;
    expect(await (await fetch(sidecar.url)).text()).toContain('does not answer');
    expect(await sidecar.get('sessions')).toEqual([]);
    const wanted = { trainer: 'practice', lora_name: 'x', dataset: 'example', start: true };
    expect(await sidecar.send('POST', 'sessions', wanted)).toMatchObject({ status: 503, body: { error: {} } });
    for (const address of ['trash', 'purge', 'drafts']) expect((await sidecar.send('GET', address)).status).toBe(503);

    rmSync(join(place.folder, 'hang'));
    await until(
      async () => (await sidecar.get<{ name: string }[]>('sessions')).map(({ name }) => name),
      (names) => names.includes('cat'),
      20,
    );
    expect(await (await fetch(sidecar.url)).text()).not.toContain('does not answer');
    measured(26, `outputs that hang at the start: the address after ${started.toFixed(1)} s`);
  },
);
