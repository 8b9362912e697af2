import { describe, expect, it } from 'vitest';
import { hubEndpoint, hubFile } from '../../sidecar/hub/hub.js';
import { hubSource, hubSources } from '../../sidecar/hub/hubSources.js';
import { modelRoles } from '../../sidecar/models/roles.js';
import { baseLicence } from '../../sidecar/publish/licences.js';
import { families } from '../../sidecar/trainers/sdScripts/families.js';

describe('where the hub has what a family needs', () => {
  it.each(modelRoles.map((role) => [role]))('%s can be downloaded', (role) => {
    expect(hubSource(role)).not.toBeNull();
  });

  it.each(hubSources.map((source) => [source.label, source]))(
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
    expect(hubSources.some((source) => source.role === role && source.baseModel === base)).toBe(true);
    expect(baseLicence(base)).toMatchObject({ repo: expect.stringContaining('/'), means: expect.any(String) });
  });

  it('takes the one that the base model names, the proposed one else', () => {
    expect(hubSource('flux', 'flux-schnell')?.file).toBe('flux1-schnell.safetensors');
    expect(hubSource('flux')).toMatchObject({ repo: 'black-forest-labs/FLUX.1-dev', gated: true });
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
