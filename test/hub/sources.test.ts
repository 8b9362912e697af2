import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hubEndpoint, hubFile } from '../../sidecar/hub/hub.js';
import { hubSource, readSources, shippedSources } from '../../sidecar/hub/sources.js';
import { modelRoles } from '../../sidecar/models/roles.js';
import { baseLicence } from '../../sidecar/publish/licences.js';
import { families } from '../../sidecar/trainers/sdScripts/families.js';

describe('where the hub has what a family needs', () => {
  it.each(modelRoles.map((role) => [role]))('%s can be downloaded', (role) => {
    expect(hubSource(shippedSources, role)).not.toBeNull();
  });

  it.each(shippedSources.map((source) => [source.label, source]))(
    '%s is a file that could be typed as well',
    (_, source) => {
      expect(hubFile(source.repo, source.file)).toEqual({ repo: source.repo, file: source.file, revision: 'main' });
      expect(source.file).toMatch(/\.(safetensors|sft)$/);
    },
  );

  const bases = families.flatMap(({ needs, baseModels }) =>
    baseModels.map(({ value }) => [value, needs[0]?.role] as const),
  );
  it.each(bases)('the base model %s has its own source and its licence', (base, role) => {
    expect(shippedSources.some((source) => source.role === role && source.baseModel === base)).toBe(true);
    expect(baseLicence(base)).toMatchObject({ repo: expect.stringContaining('/'), means: expect.any(String) });
  });

  it('takes the one that the base model names, the proposed one else', () => {
    expect(hubSource(shippedSources, 'flux', 'flux-schnell')?.file).toBe('flux1-schnell.safetensors');
    expect(hubSource(shippedSources, 'flux')).toMatchObject({ repo: 'black-forest-labs/FLUX.1-dev', gated: true });
  });
});

describe('a sources.toml in the models folder', () => {
  function modelsWith(text: string | null): string {
    const models = mkdtempSync(join(tmpdir(), 'trackside-sources-'));
    onTestFinished(() => rmSync(models, { recursive: true }));
    if (text !== null) writeFileSync(join(models, 'sources.toml'), text);
    return models;
  }

  it('is not needed', async () => {
    expect(await readSources(modelsWith(null))).toEqual({ sources: shippedSources, wrong: [] });
  });

  it('adds sources behind those that come with Trackside', async () => {
    const mine = '{ label = "Mine", folder = "unet", repo = "me/flux", file = "dit/mine.safetensors", bytes = 12 }';
    const { sources, wrong } = await readSources(modelsWith(`flux = [${mine}]\n"qwen2.5-vl" = [\n${mine},\n]\n`));
    expect(wrong).toEqual([]);
    expect(sources.slice(0, shippedSources.length)).toEqual(shippedSources);
    const added = { label: 'Mine', repo: 'me/flux', file: 'dit/mine.safetensors', folder: 'unet', bytes: 12 };
    expect(sources.slice(shippedSources.length)).toEqual(
      ['flux', 'qwen2.5-vl'].map((role) => ({ ...added, role, baseModel: null, revision: 'main', gated: false })),
    );
    expect(hubSource(sources, 'flux')?.label).toBe('FLUX.1 dev');
  });

  it.each([
    ['flux = [', /sources\.toml can't be read: /],
    ['fluxx = []', /“fluxx” is not a kind of model\. The kinds are sd1, /],
    ['flux = "mine"', /flux must be a list/],
    ['flux = [{ label = "Mine" }]', /entry 1 of flux is ignored: folder: /],
    ['flux = [7]', /entry 1 of flux is ignored: /],
    ['flux = [{ label="x", folder="../x", repo="a/b", file="x.sft" }]', /ignored: folder: /],
    ['flux = [{ label="x", folder="unet", repo="a/b", file="../x.sft" }]', /ignored: .* is not a file in/],
    ['flux = [{ label="x", folder="unet", repo="b", file="x.sft" }]', /ignored: .* is not a/],
    ['flux = [{ label="x", folder="unet", repo="a/b", file="x.ckpt" }]', /ignored: file: only \.safetensors/],
    ['flux = [{ label="x", folder="unet", repo="a/b", file="x.sft", size=1 }]', /ignored: .*size/],
  ])('%s is told in words, and what is right stays', async (text, words) => {
    const good = 'ae = [{ label = "Mine", folder = "vae", repo = "me/ae", file = "ae.sft" }]\n';
    const { sources, wrong } = await readSources(modelsWith(`${good}${text}\n`));
    expect(wrong).toEqual([expect.stringMatching(words)]);
    expect(sources).toHaveLength(shippedSources.length + (text === 'flux = [' ? 0 : 1));
  });
});

it.each([
  ['', 'https://huggingface.co'],
  ['https://hf-mirror.com/', 'https://hf-mirror.com'],
  ['hf-mirror.com', 'https://hf-mirror.com'],
])('HF_ENDPOINT=%s leads to %s', (HF_ENDPOINT, address) => {
  expect(hubEndpoint({ HF_ENDPOINT })).toBe(address);
});

it.each([
  ['owner', 'a.safetensors'],
  ['a/b/c', 'a.safetensors'],
  ['../b', 'a.safetensors'],
  ['a/b', '../x.safetensors'],
  ['a/b', '/etc/x.safetensors'],
  ['a/b', 'x//y.safetensors'],
  ['a/b', 'x y.safetensors'],
  ['a/b', '.hidden/y.safetensors'],
  ['a/b', 'x?y=z.safetensors'],
])('%s: %s is refused', (repo, file) => {
  expect(() => hubFile(repo, file)).toThrow(/is not a/);
});
