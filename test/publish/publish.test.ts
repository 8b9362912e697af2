import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PublishFacts } from '../../sidecar/publish/publishFacts.js';
import { type PublishServer, startPublishServer, writeToken } from '../models/publishServer.js';
import { writeWeights } from '../models/weights.js';
import { makeTestSidecars, projectRoot, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';

let place: TestSidecars;
let hub: PublishServer;
let sidecar: Sidecar;
/** Of each test its own session. */
let name: string;
let count = 0;
beforeAll(async () => {
  place = makeTestSidecars();
  hub = await startPublishServer();
  sidecar = await serve();
});
afterAll(async () => {
  await place.leave();
  await hub.close();
});
beforeEach(() => {
  name = `cat-${++count}`;
  hub.partBytes = 0;
  hub.pace = 0;
});

const picture = join(projectRoot, 'test/fixtures/sd-scripts/full-run/mylora_e000001_00_20261122012415_42.png');
const folder = () => join(place.outputs, name);
const serve = (token = writeToken) =>
  place.serve({ HF_ENDPOINT: hub.endpoint, HF_TOKEN: token, PRACTICE_STEP_SECONDS: '0' });
const facts = () => sidecar.get<PublishFacts>(`sessions/${name}/publication`);
const ended = () =>
  until(
    async () => (await facts()).publication,
    (publication) => publication?.status === 'done' || publication?.status === 'failed',
  );

describe('the model card', () => {
  it('is written when a training completes, with trigger word, settings, samples and no path of this machine', async () => {
    await sidecar.send('POST', 'sessions', {
      ...quick,
      lora_name: name,
      concept_sentence: 'c4tsy | <b>cat</b>',
      sample_prompts: 'a c4tsy cat --w 64 --h 64',
      sample_every_n_steps: 5,
      max_train_epochs: 1,
      start: true,
    });
    await sidecar.until(name, ({ status }) => status === 'completed');
    await until(() => existsSync(join(folder(), 'README.md')), Boolean);
    const card = readFileSync(join(folder(), 'README.md'), 'utf8');
    expect(card).toContain('instance_prompt: "c4tsy | <b>cat</b>"');
    expect(card).toMatch(/!\[a c4tsy cat\]\(sample\/cat-\d_.*\.png\)/);
    expect(card).toMatch(/\| Epochs \| 1 \|/);
    expect(card).toContain(`\`${name}.safetensors\`: the final one`);
    expect(card).not.toContain(place.folder);

    writeFileSync(join(folder(), 'README.md'), card.replace(`# ${name}`, '# My cat'));
    await publish();
    await ended();
    expect(hub.repos.get(`me/${name}`)?.files.get('README.md')?.toString(), 'what a person changed stays').toContain(
      '# My cat',
    );
  });

  it('names the licence that comes with the base model', async () => {
    makeSession({ base_model: 'flux-dev' });
    await publish();
    await ended();
    const card = readFileSync(join(folder(), 'README.md'), 'utf8');
    expect(card).toContain('license_name: flux-1-dev-non-commercial-license');
    expect(card).toContain('base_model: black-forest-labs/FLUX.1-dev');
    expect(card).toContain('Not for commercial use');
  });
});

describe('publishing', () => {
  it('sends card, chosen checkpoint and samples in one commit to a new private repository', async () => {
    makeSession();
    expect((await facts()).checkpoints.map(({ path }) => path)).toEqual([
      `${name}.safetensors`,
      `${name}-000002.safetensors`,
    ]);
    expect((await publish({ samples: true })).status).toBe(202);
    expect(await ended()).toMatchObject({ status: 'done', url: `${hub.endpoint}/me/${name}`, message: null });
    const repo = hub.repos.get(`me/${name}`);
    expect(repo?.visibility).toBe('private');
    expect(repo?.commits).toEqual([`Publish ${name} with Trackside`]);
    expect([...(repo?.files.keys() ?? [])].sort()).toEqual([
      'README.md',
      `${name}.safetensors`,
      `sample/${name}_e000002_00_20261122010203_42.png`,
    ]);
    expect(repo?.files.get(`${name}.safetensors`)?.equals(readFileSync(join(folder(), `${name}.safetensors`)))).toBe(
      true,
    );
    expect(repo?.files.get('README.md')?.toString()).toBe(readFileSync(join(folder(), 'README.md'), 'utf8'));
    expect(
      hub.uploads.every(({ announced, bytes }) => announced === String(bytes)),
      'stores want the length first',
    ).toBe(true);
    expect(
      hub.uploads.every(({ authorization }) => authorization === null),
      'the token goes to the hub only',
    ).toBe(true);
  });

  it('shows how far it is, in parts too, and does not send again what arrived', async () => {
    makeSession();
    const earlier = hub.uploads.length;
    hub.partBytes = 300_000;
    hub.pace = 2_000_000;
    await publish();
    const seen = new Set<number>();
    await until(
      async () => {
        const { publication } = await facts();
        seen.add(publication?.bytes_done ?? 0);
        return publication;
      },
      (publication) => publication?.status === 'done',
    );
    expect(seen.size).toBeGreaterThanOrEqual(2);
    const before = hub.uploads.length;
    expect(before - earlier).toBeGreaterThan(2);
    await publish();
    expect(await ended()).toMatchObject({ status: 'done' });
    expect(hub.uploads.length).toBe(before);
  });

  it('works with the form alone, and the page shows how it ended', async () => {
    makeSession();
    const form = new URLSearchParams([
      ['repo', `me/${name}`],
      ['visibility', 'public'],
      ['checkpoints', `${name}.safetensors`],
      ['checkpoints', `${name}-000002.safetensors`],
    ]);
    const answer = await fetch(new URL(`sessions/${name}/publication`, sidecar.url), {
      method: 'POST',
      redirect: 'manual',
      headers: { Accept: 'text/html' },
      body: form,
    });
    expect([answer.status, new URL(answer.headers.get('location') ?? '', answer.url).pathname]).toEqual([
      303,
      `/sessions/${name}`,
    ]);
    await ended();
    expect(hub.repos.get(`me/${name}`)).toMatchObject({ visibility: 'public' });
    expect(hub.repos.get(`me/${name}`)?.files.has(`${name}-000002.safetensors`)).toBe(true);
    const page = await (
      await fetch(new URL(`sessions/${name}`, sidecar.url), { headers: { Accept: 'text/html' } })
    ).text();
    expect(page).toMatch(/published, 3 files/);
    expect(page).not.toContain(writeToken);
  });

  it('says in words what went wrong, and can be tried again', async () => {
    makeSession();
    for (const [step, status, words] of [
      ['create', 403, 'write access'],
      ['upload', 0, 'broke'],
      ['commit', 500, 'answered with 500'],
    ] as const) {
      hub.trouble[step] = [status];
      await publish();
      const { status: how, message } = (await ended()) ?? {};
      expect([how, message]).toEqual(['failed', expect.stringContaining(words)]);
    }
    await publish();
    expect(await ended()).toMatchObject({ status: 'done' });
  });

  it('refuses what cannot be before anything is sent', async () => {
    makeSession();
    writeFileSync(join(place.folder, 'secret'), 'x');
    symlinkSync(join(place.folder, 'secret'), join(folder(), `${name}-000009.safetensors`));
    const code = async (body: object) => (await publish(body)).body.error?.code;
    expect(await code({ repo: 'nothing' })).toBe('bad_repository');
    expect(await code({ checkpoints: [] })).toBe('nothing');
    expect(await code({ checkpoints: ['../../secret'] })).toBe('unknown_checkpoint');
    expect(await code({ checkpoints: [`${name}-000009.safetensors`] })).toBe('unknown_checkpoint');
    const without = await serve('');
    expect((await publish({}, without)).body.error?.code).toBe('no_token');
    expect(hub.repos.has(`me/${name}`)).toBe(false);
  });

  it('is called off', async () => {
    makeSession();
    hub.pace = 200_000;
    await publish();
    await until(
      async () => (await facts()).publication?.bytes_done ?? 0,
      (bytes) => bytes > 0,
    );
    expect((await publish()).body.error?.code).toBe('under_way');
    await sidecar.send('DELETE', `sessions/${name}/publication`);
    expect((await facts()).publication).toBeNull();
    expect(hub.repos.get(`me/${name}`)?.commits).toEqual([]);
  });
});

function publish(more: object = {}, to = sidecar) {
  const checkpoints = [`${name}.safetensors`];
  return to.send('POST', `sessions/${name}/publication`, { repo: `me/${name}`, checkpoints, ...more });
}

/** A session that ended long ago, with two checkpoints and a sample. */
function makeSession(settings: object = {}): void {
  mkdirSync(join(folder(), 'sample'), { recursive: true });
  writeWeights(join(folder(), `${name}-000002.safetensors`), { a: [100_000] }, { metadata: { of: name } });
  writeWeights(join(folder(), `${name}.safetensors`), { a: [500_000] }, { metadata: { of: name } });
  copyFileSync(picture, join(folder(), 'sample', `${name}_e000002_00_20261122010203_42.png`));
  const state = {
    lora_name: name,
    status: 'completed',
    concept_sentence: 'c4tsy',
    timestamp: 1_700_000_000,
    ...settings,
  };
  writeFileSync(join(folder(), 'ui_state.json'), JSON.stringify(state));
}
