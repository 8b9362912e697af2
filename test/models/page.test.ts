import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DownloadFacts } from '../../sidecar/hub/downloadFacts.js';
import type { FamilyNeeds } from '../../sidecar/hub/needs.js';
import type { ModelFile } from '../../sidecar/models/roles.js';
import { makeTestSidecars, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { type HubServer, startHub } from './hubServer.js';
import { models, writeWeights } from './weights.js';

type Facts = { folder: string; files: ModelFile[]; families: FamilyNeeds[]; downloads: DownloadFacts[] };

let place: TestSidecars;
let hub: HubServer;
let root: string;
beforeEach(async () => {
  place = makeTestSidecars();
  hub = await startHub();
  root = join(place.folder, 'models');
});
afterEach(async () => {
  await place.leave();
  await hub.close();
});

const serve = () =>
  place.serve({
    TRACKSIDE_MODELS: root,
    HF_ENDPOINT: hub.endpoint,
    HF_TOKEN: '',
    HOME: place.folder,
    HF_HOME: join(place.folder, 'hf'),
  });
const facts = (sidecar: Sidecar) => sidecar.get<Facts>('models');
const ae = { repo: 'Comfy-Org/Lumina_Image_2.0_Repackaged', file: 'split_files/vae/ae.safetensors' };
const t5 = { repo: 'comfyanonymous/flux_text_encoders', file: 't5xxl_fp16.safetensors' };

describe('the page of models', () => {
  it('says what is here, what each family lacks, and that a family is ready once the rest was downloaded', async () => {
    const ours = { 'unet/a': models.fluxDev, 'clip/b': models.clipL, 'clip/c': models.t5xxl };
    for (const [name, tensors] of Object.entries(ours)) writeWeights(join(root, `${name}.safetensors`), tensors);
    writeWeights(join(place.folder, 'weights'), models.ae);
    hub.put({ ...ae, content: readFileSync(join(place.folder, 'weights')) });
    const sidecar = await serve();
    const flux = async () => (await facts(sidecar)).families.find(({ id }) => id === 'sd-scripts/flux');
    expect(await flux()).toMatchObject({ ready: false });
    expect((await flux())?.needs.filter(({ missing }) => missing).map(({ role }) => role)).toEqual(['ae']);
    const page = await html(sidecar);
    expect(page).toContain('Autoencoder: not downloaded');
    expect(page).toContain(`value="${ae.file}"`);

    const answer = await sidecar.send('POST', 'models/downloads', ae);
    expect(answer.status).toBe(201);
    await until(flux, (family) => family?.ready === true);
    expect(await html(sidecar)).toContain('ready to train');
    expect((await facts(sidecar)).files.map(({ name }) => name)).toContain('vae/ae.safetensors');
  });

  it('offers what sources.toml in the models folder adds, and says what is wrong in it', async () => {
    mkdirSync(root, { recursive: true });
    const mine = '{ label = "Mine", folder = "vae", repo = "me/ae", file = "mine.sft" }';
    writeFileSync(join(root, 'sources.toml'), `ae = [${mine}, { label = "Half" }]\n`);
    const sidecar = await serve();
    const page = await html(sidecar);
    expect(page).toContain('value="mine.sft"');
    expect(page).toMatch(/<p class="error">sources\.toml: entry 2 of ae is ignored: /);
    hub.put({ repo: 'me/ae', file: 'mine.sft', content: randomBytes(1000) });
    await sidecar.send('POST', 'models/downloads', { repo: 'me/ae', file: 'mine.sft' });
    await until(() => existsSync(join(root, 'vae', 'mine.sft')), Boolean);
  });

  it('shows a download while it goes on, over the one stream of the page', async () => {
    hub.put({ ...t5, content: randomBytes(4_000_000) });
    hub.pace = 2_000_000;
    const sidecar = await serve();
    const stream = await fetch(`${sidecar.url}models/events`, { headers: { Accept: 'text/event-stream' } });
    await sidecar.send('POST', 'models/downloads', t5);
    let heard = '';
    const decoder = new TextDecoder();
    for await (const chunk of stream.body as unknown as AsyncIterable<Uint8Array>) {
      heard += decoder.decode(chunk, { stream: true });
      if (/hx-target="#downloads".*B\/s · [\d.]+ (k|M)B of 4 MB/s.test(heard) && heard.includes('downloaded · 4 MB'))
        break;
    }
    expect(heard.match(/B\/s · /g)?.length ?? 0).toBeGreaterThan(1);
  });

  it('downloads all that a family lacks with one button, for the base model that was chosen', async () => {
    const sidecar = await serve();
    expect(await html(sidecar)).toContain('<option value="flux-schnell">FLUX.1 schnell</option>');
    const body = { family: 'sd-scripts/flux', base_model: 'flux-schnell' };
    const { body: answer } = await sidecar.send('POST', 'models/downloads', body);
    expect(answer.downloads.map(({ path }: DownloadFacts) => path)).toEqual([
      'unet/flux1-schnell.safetensors',
      'clip/clip_l.safetensors',
      'clip/t5xxl_fp16.safetensors',
      'vae/ae.safetensors',
      'tokenizers/.arriving/openai_clip-vit-large-patch14',
      'tokenizers/.arriving/google_t5-v1_1-xxl',
    ]);
  });

  it('works with forms alone, and says in the form what was typed wrongly', async () => {
    hub.put({ repo: 'me/mine', file: 'x/y.safetensors', content: Buffer.from('weights') });
    const sidecar = await serve();
    const post = (path: string, body: Record<string, string>) =>
      fetch(new URL(path, sidecar.url), {
        method: 'POST',
        redirect: 'manual',
        headers: { Accept: 'text/html' },
        body: new URLSearchParams(body),
      });
    for (const [repo, file] of [
      ['nothing', 'a.safetensors'],
      ['../..', 'a.safetensors'],
      ['a/b', '../../etc/passwd'],
      ['a/b', 'x.py'],
    ]) {
      const answer = await post('models/downloads', { repo: repo ?? '', file: file ?? '', folder: 'unet' });
      expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining('class="error"')]);
    }
    expect(hub.requests).toEqual([]);
    const answer = await post('models/downloads', { repo: 'me/mine', file: 'x/y.safetensors', folder: 'vae' });
    expect([answer.status, new URL(answer.headers.get('location') ?? '', answer.url).pathname]).toEqual([
      303,
      '/models',
    ]);
    await until(() => existsSync(join(root, 'vae/y.safetensors')), Boolean);
    await post('models/downloads/vae/y.safetensors?_method=DELETE', {});
    expect((await facts(sidecar)).downloads).toEqual([]);
    expect(existsSync(join(root, 'vae/y.safetensors'))).toBe(true);
  });

  it('a sidecar that is killed in the middle of a download goes on with it when it is back', async () => {
    const content = randomBytes(6_000_000);
    hub.put({ ...t5, content });
    hub.pace = 3_000_000;
    const first = await serve();
    await first.send('POST', 'models/downloads', t5);
    const partial = join(root, 'clip/t5xxl_fp16.safetensors.incomplete');
    await until(() => existsSync(partial) && statSync(partial).size > 1_000_000, Boolean);
    await first.kill('SIGKILL');
    const there = statSync(partial).size;
    hub.pace = 0;
    const second = await serve();
    await until(() => existsSync(join(root, 'clip/t5xxl_fp16.safetensors')), Boolean, 60);
    expect(readFileSync(join(root, 'clip/t5xxl_fp16.safetensors')).equals(content)).toBe(true);
    const last = hub.requests.findLast(({ server }) => server === 'cdn');
    expect(Number(/\d+/.exec(last?.range ?? '')?.[0])).toBeGreaterThanOrEqual(there);
    expect((await facts(second)).downloads[0]).toMatchObject({ status: 'done' });
  });

  it('a token that is set later is used by the next try, and stands on no page', async () => {
    hub.put({ ...t5, content: Buffer.from('weights') });
    hub.gate(t5.repo, 'hf_abcdefgh12345');
    const sidecar = await serve();
    await sidecar.send('POST', 'models/downloads', t5);
    const failed = await until(
      async () => (await facts(sidecar)).downloads[0],
      (each) => each?.status === 'failed',
    );
    expect(failed).toMatchObject({ message: expect.stringContaining('licence'), link: `${hub.endpoint}/${t5.repo}` });
    await sidecar.kill('SIGTERM');
    const again = await place.serve({
      TRACKSIDE_MODELS: root,
      HF_ENDPOINT: hub.endpoint,
      HF_TOKEN: 'hf_abcdefgh12345',
      HOME: place.folder,
    });
    expect((await facts(again)).downloads[0]?.status, 'what failed waits for somebody').toBe('failed');
    await again.send('POST', `models/downloads/${failed?.id}/tries`);
    await until(
      async () => (await facts(again)).downloads[0],
      (each) => each?.status === 'done',
    );
    expect(await html(again)).not.toContain('hf_abcdefgh');
  });
});

describe('tokenizers', () => {
  it('arrive where sd-scripts looks for them, whole or not at all', async () => {
    const put = (repo: string, files: string[]) => {
      for (const file of files) hub.put({ repo, file, content: Buffer.from(`${repo} ${file}`), large: false });
    };
    put('openai/clip-vit-large-patch14', [
      'vocab.json',
      'merges.txt',
      'tokenizer_config.json',
      'special_tokens_map.json',
      'tokenizer.json',
    ]);
    const sidecar = await serve();
    await sidecar.send('POST', 'models/downloads', { tokenizers: 'sd-scripts/flux' });
    const clip = join(root, 'tokenizers/openai_clip-vit-large-patch14');
    await until(() => existsSync(clip), Boolean);
    expect(readFileSync(join(clip, 'merges.txt'), 'utf8')).toBe('openai/clip-vit-large-patch14 merges.txt');
    const flux = async () => (await facts(sidecar)).families.find(({ id }) => id === 'sd-scripts/flux')?.tokenizers;
    expect(await flux()).toEqual(['google/t5-v1_1-xxl']);
    const t5Download = async () => (await facts(sidecar)).downloads.find(({ repo }) => repo.startsWith('google/'));
    const failed = await until(t5Download, (each) => each?.status === 'failed');
    expect(existsSync(join(root, 'tokenizers/google_t5-v1_1-xxl'))).toBe(false);
    put('google/t5-v1_1-xxl', ['spiece.model', 'tokenizer_config.json', 'special_tokens_map.json']);
    await sidecar.send('POST', `models/downloads/${failed?.id}/tries`);
    await until(flux, (missing) => missing?.length === 0);
  });

  it('of families that look them up by id lie in a hub cache too', async () => {
    const files = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'];
    for (const file of files) hub.put({ repo: 'google/gemma-2-2b', file, content: Buffer.from(file), large: false });
    const sidecar = await serve();
    await sidecar.send('POST', 'models/downloads', { tokenizers: 'sd-scripts/lumina' });
    const folder = join(root, 'tokenizers/models--google--gemma-2-2b');
    await until(() => existsSync(join(root, 'tokenizers/google_gemma-2-2b')), Boolean);
    const commit = readFileSync(join(folder, 'refs/main'), 'utf8');
    expect(readFileSync(join(folder, 'snapshots', commit, 'tokenizer.json'), 'utf8')).toBe('tokenizer.json');
  });
});

async function html(sidecar: Sidecar): Promise<string> {
  return (await fetch(`${sidecar.url}models`, { headers: { Accept: 'text/html' } })).text();
}
