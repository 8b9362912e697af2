import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findModels } from '../../sidecar/models/findModels.js';
import { modelFolders } from '../../sidecar/models/folders.js';
import { BUSY } from '../busy.js';
import { models, type Tensors, writeWeights } from './weights.js';

let place: string;
let root: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'trackside-models-'));
  root = join(place, 'models');
  mkdirSync(root);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const find = (folders = [{ path: root, depth: 4 }]) => findModels({ models: root, sdScripts: '' }, folders);
const only = async () => (await find())[0];

describe('a model is recognised by what is in its header, whatever its name', () => {
  it.each<[keyof typeof models, string | null, string]>([
    ['fluxDev', 'flux', 'dev, bf16'],
    ['fluxSchnell', 'flux', 'schnell, bf16'],
    ['chroma', 'chroma', 'Chroma, bf16'],
    ['sd1', 'sd1', 'bf16'],
    ['sd2', 'sd2', 'bf16'],
    ['sdxl', 'sdxl', 'bf16'],
    ['sd35Medium', 'sd3', '3.5 medium, bf16'],
    ['lumina2', 'lumina2', 'bf16'],
    ['hunyuanImage', 'hunyuan-image', 'bf16'],
    ['anima', 'anima', 'bf16'],
    ['clipL', 'clip_l', 'bf16'],
    ['clipG', 'clip_g', 'bf16'],
    ['t5xxl', 't5xxl', 'bf16'],
    ['byt5', 'byt5', 'bf16'],
    ['gemma2', 'gemma2', '2B, bf16'],
    ['qwenVl', 'qwen2.5-vl', '7B, bf16'],
    ['qwen3', 'qwen3', '0.6B, bf16'],
    ['ae', 'ae', 'bf16'],
    ['hunyuanVae', 'hunyuan-vae', 'bf16'],
    ['qwenVae', 'anima-vae', 'Qwen-Image, bf16'],
  ])('%s', async (model, role, detail) => {
    writeWeights(join(root, 'model.safetensors'), models[model]);
    expect(await only()).toMatchObject({ name: 'model.safetensors', role, detail, usable: true, reason: null });
  });

  it.each<[keyof typeof models, string | null, string]>([
    ['fluxFill', 'flux', 'inpainting'],
    ['refiner', 'sdxl', 'refiner'],
    ['plainByt5', 'byt5', 'glyphs'],
  ])('%s is known, and why it cannot be trained on', async (model, role, word) => {
    writeWeights(join(root, 'model.safetensors'), models[model]);
    const found = await only();
    expect(found).toMatchObject({ role, usable: false });
    expect(found?.reason).toContain(word);
  });

  it.each<keyof typeof models>(['zImage', 'cosmos', 'umt5', 'qwen3Large'])(
    '%s, a near relative, is not taken for it',
    async (model) => {
      writeWeights(join(root, 'model.safetensors'), models[model]);
      expect(await only()).toMatchObject({ role: null, usable: false });
    },
  );

  it('plain fp8 is usable, scaled fp8 and e5m2 are not, in words', async () => {
    const as = (dtype: string, more: Tensors = {}) => ({
      ...Object.fromEntries(
        Object.entries(models.fluxDev).map(([name, shape]) => [name, { shape: shape as number[], dtype }]),
      ),
      ...more,
    });
    writeWeights(join(root, '1.safetensors'), as('F8_E4M3'));
    writeWeights(join(root, '2.safetensors'), as('F8_E5M2'));
    writeWeights(join(root, '3.safetensors'), as('F8_E4M3', { scaled_fp8: [2] }));
    const [plain, e5m2, scaled] = await find();
    expect(plain).toMatchObject({ detail: 'dev, fp8', usable: true });
    expect(e5m2).toMatchObject({ role: 'flux', usable: false, reason: expect.stringContaining('e5m2') });
    expect(scaled).toMatchObject({ role: 'flux', usable: false, reason: expect.stringContaining('scaled') });
  });

  it('a LoRA is not a model', async () => {
    writeWeights(join(root, 'a.safetensors'), models.lora);
    writeWeights(join(root, 'b.safetensors'), models.peftLora);
    writeWeights(
      join(root, 'c.safetensors'),
      { weight: [4] },
      { metadata: { ss_network_module: 'networks.lora_flux' } },
    );
    expect(await find()).toEqual([]);
  });
});

describe('what is not whole is not offered', () => {
  it('a file that is cut short says how much of it is there', async () => {
    writeWeights(join(root, 'flux.safetensors'), models.fluxDev, { present: 0.245 });
    expect(await only()).toMatchObject({
      role: 'flux',
      usable: false,
      reason: 'is incomplete: only 24 % of it is here',
    });
  });

  it('an empty file, a page of HTML and an endless header say what they are', async () => {
    writeFileSync(join(root, '1.safetensors'), '');
    writeFileSync(join(root, '2.safetensors'), '<!doctype html><title>Log in</title>');
    writeFileSync(join(root, '3.safetensors'), Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0x5b, 0x5d]));
    expect((await find()).map(({ reason }) => reason)).toEqual([
      'is empty',
      'is a web page and no weights: the download was refused, or needs a login',
      'has a broken header',
    ]);
  });

  it('a download that goes on is known as one, even where it has its full size already', async () => {
    writeWeights(join(root, 'a.safetensors'), models.ae);
    writeFileSync(join(root, 'a.safetensors.aria2'), '');
    writeWeights(join(root, 'b.safetensors.incomplete'), models.ae);
    const found = await find();
    expect(found).toHaveLength(2);
    for (const each of found)
      expect(each).toMatchObject({ role: 'ae', usable: false, reason: expect.stringContaining('download') });
  });
});

describe('looking for models', () => {
  it('finds them in FluxGym’s and ComfyUI’s folders beside the checkout, and in the hub’s cache', async () => {
    const gym = join(place, 'fluxgym');
    writeWeights(join(gym, 'models', 'unet', 'flux1-dev.sft'), models.fluxDev);
    const comfy = join(place, 'home', 'ComfyUI', 'models');
    writeWeights(join(comfy, 'text_encoders', 'clip_l.safetensors'), models.clipL);
    const snapshot = join(place, 'hub', 'models--black-forest-labs--FLUX.1-dev', 'snapshots', 'abc');
    const blob = join(place, 'hub', 'models--black-forest-labs--FLUX.1-dev', 'blobs', '4b1e');
    writeWeights(blob, models.ae);
    mkdirSync(snapshot, { recursive: true });
    symlinkSync('../../blobs/4b1e', join(snapshot, 'ae.safetensors'));
    const places = { models: root, sdScripts: join(gym, 'sd-scripts') };
    const environment = { HOME: join(place, 'home'), HF_HUB_CACHE: join(place, 'hub') };
    const found = await findModels(
      places,
      modelFolders(places, environment).filter(({ path }) => path.startsWith(place)),
    );
    expect(found.map(({ role }) => role)).toEqual(['flux', 'clip_l', 'ae']);
    expect(found[2]?.path).toBe(join(snapshot, 'ae.safetensors'));
  });

  it('stays inside its folders: a link to a folder is not followed, one to a file is only read', async () => {
    writeWeights(join(place, 'elsewhere', 'ae.safetensors'), models.ae);
    symlinkSync(join(place, 'elsewhere'), join(root, 'away'));
    expect(await find()).toEqual([]);
    symlinkSync(join(place, 'elsewhere', 'ae.safetensors'), join(root, 'ae.safetensors'));
    symlinkSync('/dev/zero', join(root, 'zero.safetensors'));
    symlinkSync('nowhere', join(root, 'gone.safetensors'));
    expect((await find()).map(({ name }) => name)).toEqual(['ae.safetensors']);
  });

  it('tells a file once that is reached in two ways, and once more when it was replaced', async () => {
    const path = join(root, 'model.safetensors');
    writeWeights(path, models.ae);
    symlinkSync('model.safetensors', join(root, 'z-link.safetensors'));
    expect(
      await find([
        { path: root, depth: 1 },
        { path: root, depth: 2 },
      ]),
    ).toHaveLength(1);
    writeWeights(path, models.clipL);
    expect(await only()).toMatchObject({ role: 'clip_l' });
  });

  it('knows a diffusers folder as one model, with what it lacks', async () => {
    const whole = join(root, 'sdxl');
    writeFileSync(
      join(mkdirs(whole), 'model_index.json'),
      JSON.stringify({ _class_name: 'StableDiffusionXLPipeline' }),
    );
    for (const part of ['unet', 'text_encoder', 'text_encoder_2', 'vae']) {
      writeFileSync(join(mkdirs(join(whole, part)), 'model.safetensors'), 'weights');
    }
    const half = join(root, 'sd1');
    writeFileSync(join(mkdirs(half), 'model_index.json'), JSON.stringify({ _class_name: 'StableDiffusionPipeline' }));
    expect(await find()).toEqual([
      expect.objectContaining({ role: 'sd1', usable: false, reason: 'has no weights for unet, text_encoder, vae' }),
      expect.objectContaining({ role: 'sdxl', name: 'sdxl', detail: 'diffusers folder', usable: true }),
    ]);
  });

  it('looks through a thousand files in seconds, and again at once', async () => {
    for (let i = 0; i < 1000; i++) writeWeights(join(root, `${i}.safetensors`), models.clipG);
    const first = performance.now();
    expect(await find()).toHaveLength(1000);
    const second = performance.now();
    await find();
    const took = [second - first, performance.now() - second];
    expect(took[0]).toBeLessThan(10_000 * BUSY);
    expect(took[1]).toBeLessThan(2_000 * BUSY);
  }, 30_000);
});

function mkdirs(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}
