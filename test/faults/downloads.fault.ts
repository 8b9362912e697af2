import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DownloadFacts } from '../../sidecar/hub/downloadFacts.js';
import { type HubServer, startHub } from '../models/hubServer.js';
import { makeTestSidecars, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { lacks } from './needs.js';

let place: TestSidecars;
let hub: HubServer;
let models: string;
beforeEach(async () => {
  place = makeTestSidecars();
  hub = await startHub();
  models = join(place.folder, 'models');
  mkdirSync(models);
});
afterEach(async () => {
  await place.leave().catch(() => {});
  execFileSync('sh', ['-c', 'umount -l "$0" 2>/dev/null; true', models]);
  await place.leave();
  await hub.close();
});

const source = { repo: 'comfyanonymous/flux_text_encoders', file: 'clip_l.safetensors' };
const serve = () =>
  place.serve({ TRACKSIDE_MODELS: models, HF_ENDPOINT: hub.endpoint, HF_TOKEN: '', HOME: place.folder });
const first = async (sidecar: Sidecar) => (await sidecar.get<{ downloads: DownloadFacts[] }>('models')).downloads[0];
const partial = () => join(models, 'clip/clip_l.safetensors.incomplete');

test.skipIf(lacks('mounting (root)'))(
  'a disk that fills during a download: it says so, keeps what arrived, and goes on from there',
  async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=340m', 'tmpfs', models]);
    const content = randomBytes(40_000_000);
    hub.put({ ...source, content });
    hub.pace = 8_000_000;
    const sidecar = await serve();
    await sidecar.send('POST', 'models/downloads', source);
    await until(() => existsSync(partial()) && statSync(partial()).size > 5_000_000, Boolean);
    expect(() => writeFileSync(join(models, 'somebody-else'), Buffer.alloc(400_000_000))).toThrow('ENOSPC');
    const failed = await until(
      () => first(sidecar),
      (each) => each?.status === 'failed',
    );
    expect(failed?.message).toContain('the download continues where it stopped');
    const kept = statSync(partial()).size;
    expect(kept).toBeGreaterThan(5_000_000);
    rmSync(join(models, 'somebody-else'));
    hub.pace = 0;
    await sidecar.send('POST', `models/downloads/${failed?.id}/tries`);
    await until(
      () => first(sidecar),
      (each) => each?.status === 'done',
    );
    expect(readFileSync(join(models, 'clip/clip_l.safetensors')).equals(content)).toBe(true);
    expect(hub.requests.findLast(({ server }) => server === 'cdn')?.range).toBe(`bytes=${kept}-`);
    console.log(`full disk: ${kept} bytes kept of ${content.length}, and none of them downloaded twice`);
  },
);

test('a download through fifty kills of the sidecar arrives whole', async () => {
  const content = randomBytes(60_000_000);
  hub.put({ ...source, content });
  hub.pace = 6_000_000;
  let kills = 0;
  let sidecar = await serve();
  await sidecar.send('POST', 'models/downloads', source);
  while (kills < 50 && !existsSync(join(models, 'clip/clip_l.safetensors'))) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 1500));
    await sidecar.kill('SIGKILL');
    kills += 1;
    if (kills === 50) hub.pace = 0;
    sidecar = await serve();
  }
  await until(() => existsSync(join(models, 'clip/clip_l.safetensors')), Boolean, 120);
  expect(readFileSync(join(models, 'clip/clip_l.safetensors')).equals(content)).toBe(true);
  console.log(`${kills} kills during a download of ${content.length} bytes: whole, ${hub.sent} bytes sent in all`);
});
