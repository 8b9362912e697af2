import { describe, expect, test } from 'vitest';
import type { ModelFile, ModelRole } from '../../sidecar/models/roles.js';
import { chooseModels, missingModels } from '../../sidecar/trainers/modelNeeds.js';
import { findFamily } from '../../sidecar/trainers/sdScripts/families.js';
import type { Family } from '../../sidecar/trainers/sdScripts/family.js';
import { trainerOf } from './sdScripts/commands.js';

const trainer = (id: string) => trainerOf(findFamily(`sd-scripts/${id}`) as Family);
const file = (role: ModelRole, name: string, detail: string | null = null, usable = true): ModelFile => {
  return { path: `/m/${name}`, name, bytes: 1, role, detail, usable, reason: usable ? null : 'is cut off' };
};

const flux = [
  file('flux', 'unet/flux1-schnell.safetensors', 'FLUX.1 schnell'),
  file('flux', 'unet/flux1-dev2pro.safetensors', 'FLUX.1 dev'),
  file('flux', 'unet/cut.safetensors', 'FLUX.1 dev', false),
  file('flux', 'unet/flux1-dev.safetensors', 'FLUX.1 dev'),
  file('t5xxl', 'clip/t5.safetensors'),
  file('ae', 'vae/ae.safetensors'),
];

describe('model files that nobody chose', () => {
  test('are the first whole ones of their role, but none of another base model', () => {
    const rest = { t5xxl: '/m/clip/t5.safetensors', ae: '/m/vae/ae.safetensors' };
    const chosen = (base: string) => chooseModels(trainer('flux'), base, {}, flux);
    expect(chosen('flux-dev')).toEqual({ pretrained_model_name_or_path: '/m/unet/flux1-dev.safetensors', ...rest });
    expect(chosen('flux-schnell').pretrained_model_name_or_path).toBe('/m/unet/flux1-schnell.safetensors');
    expect(chosen('flux-dev2pro').pretrained_model_name_or_path).toBe('/m/unet/flux1-dev2pro.safetensors');
  });

  test('what was chosen stays, and what is missing is named', () => {
    const given = { pretrained_model_name_or_path: '/elsewhere/mine.safetensors' };
    const chosen = chooseModels(trainer('flux'), 'flux-dev', given, flux);
    expect(chosen).not.toHaveProperty('pretrained_model_name_or_path');
    expect(missingModels(trainer('flux'), { ...given, ...chosen }, flux).map(({ flag }) => flag)).toEqual(['clip_l']);
  });

  test('a text encoder that lies inside the model is not asked for', () => {
    const all = [file('sd3', 'sd3.5.safetensors', '3.5 medium, with clip_l, clip_g, bf16')];
    const chosen = chooseModels(trainer('sd3'), 'sd3.5-medium', {}, all);
    expect(missingModels(trainer('sd3'), chosen, all).map(({ flag }) => flag)).toEqual(['t5xxl']);
  });

  test('an optional one is never taken by itself', () => {
    const all = [file('sd1', 'sd.safetensors'), file('sd-vae', 'vae.safetensors')];
    expect(Object.keys(chooseModels(trainer('sd1'), 'sd15', {}, all))).toEqual(['pretrained_model_name_or_path']);
  });
});
