import type { ModelNeed } from '../trainer.js';
import type { Family, Flags } from './family.js';
import * as presets from './presets.js';

/** Keeps text encoder outputs beside the pictures, so that a resume does not compute them again. */
const cacheTexts: Flags = { cache_text_encoder_outputs: true, cache_text_encoder_outputs_to_disk: true };
const cacheLatents: Flags = { cache_latents: true, cache_latents_to_disk: true };
const common: Flags = {
  ...cacheLatents,
  gradient_checkpointing: true,
  persistent_data_loader_workers: true,
  mixed_precision: 'bf16',
  save_precision: 'bf16',
  optimizer_type: 'AdamW8bit',
  lr_scheduler: 'constant',
  network_alpha: 1,
};
const cached: Flags = { ...common, ...cacheTexts };
const commonSettings = { max_train_epochs: 10, save_every_n_epochs: 1, learning_rate: '1e-4', network_dim: 16 };

const main = (role: ModelNeed['role'], label = 'Model'): ModelNeed => {
  return { flag: 'pretrained_model_name_or_path', role, required: true, label };
};
const need = (flag: string, role: ModelNeed['role'], label: string): ModelNeed => {
  return { flag, role, required: true, label };
};
const anotherVae = (role: ModelNeed['role']): ModelNeed => ({ ...need('vae', role, 'Another VAE'), required: false });
const clipL = need('clip_l', 'clip_l', 'CLIP-L');
const t5 = need('t5xxl', 't5xxl', 'T5-XXL');
const autoencoder = need('ae', 'ae', 'Autoencoder');

const model = (value: string, label: string) => ({ value, label });

const FLUX_NETWORKS = ['networks.lora_flux', 'networks.oft_flux', 'lycoris.kohya'] as const;
const NETWORKS = ['networks.lora', 'networks.lora_fa', 'networks.dylora', 'networks.oft', 'lycoris.kohya'] as const;
/** LoHa and LoKr of sd-scripts itself, since 2026-02; they know these two models (networks/network_base.py). */
const LOHA_AND_LOKR = ['networks.loha', 'networks.lokr'] as const;

const raw: Flags = { model_prediction_type: 'raw' };
const unetOnly: Flags = { network_train_unet_only: true };
const FLOW_SAMPLING = ['sigma', 'uniform', 'sigmoid', 'shift', 'flux_shift'] as const;
/** The values that most families share. */
const plain = {
  fixed: {},
  bucketStep: 32,
  mostBlocksToSwap: 0,
  timestepSampling: null,
  guidance: false,
  cachingNeedsUnetOnly: false,
  cachesDroppedCaptions: false,
} as const;

/** Every family of sd-scripts that trains a LoRA, in the order of the form. */
export const families: readonly Family[] = [
  {
    ...plain,
    id: 'sd-scripts/flux',
    label: 'FLUX.1',
    description: 'FLUX.1 dev, schnell and dev2pro, with the presets of FluxGym.',
    script: 'flux_train_network.py',
    networkModules: FLUX_NETWORKS,
    needs: [main('flux'), clipL, t5, autoencoder],
    baseModels: [
      model('flux-dev', 'FLUX.1 dev'),
      model('flux-schnell', 'FLUX.1 schnell'),
      model('flux-dev2pro', 'FLUX.1 dev2pro'),
    ],
    // FluxGym's command (users.md).
    flags: { ...cached, sdpa: true, highvram: true, discrete_flow_shift: 3.1582, ...raw, loss_type: 'l2' },
    presets: presets.fluxPresets,
    settings: { learning_rate: '8e-4', network_dim: 4, guidance_scale: 1, timestep_sampling: 'shift' },
    // flux_train_network.py asks for 64, then for 32.
    bucketStep: 64,
    mostBlocksToSwap: 35,
    timestepSampling: FLOW_SAMPLING,
    guidance: true,
  },
  {
    ...plain,
    id: 'sd-scripts/chroma',
    label: 'Chroma',
    description: 'Chroma1, built like FLUX.1 but without CLIP-L.',
    script: 'flux_train_network.py',
    networkModules: FLUX_NETWORKS,
    needs: [main('chroma'), t5, autoencoder],
    baseModels: [model('chroma1-base', 'Chroma1 Base'), model('chroma1-hd', 'Chroma1 HD')],
    // Without the mask the script refuses to train Chroma.
    fixed: { model_type: 'chroma', apply_t5_attn_mask: true, network_train_unet_only: true },
    flags: { ...cached, sdpa: true, ...raw },
    presets: presets.chromaPresets,
    // docs/flux_train_network.md, Training Chroma Models.
    promptHelp:
      'One prompt per line, each with a negative prompt and no embedded guidance: a cat --n blurry --g 0 --l 4.',
    settings: { ...commonSettings, guidance_scale: 0, timestep_sampling: 'sigmoid' },
    bucketStep: 64,
    mostBlocksToSwap: 35,
    timestepSampling: FLOW_SAMPLING,
    guidance: true,
  },
  {
    ...plain,
    id: 'sd-scripts/sdxl',
    label: 'SDXL',
    description: 'SDXL 1.0 and models made from it: Pony, Illustrious, NoobAI.',
    script: 'sdxl_train_network.py',
    networkModules: [...NETWORKS, ...LOHA_AND_LOKR],
    needs: [main('sdxl'), anotherVae('sdxl-vae')],
    baseModels: [{ value: 'sdxl-base', label: 'SDXL 1.0' }],
    // The documented command lacks network_train_unet_only, and names two flags that no script has.
    flags: { ...cached, sdpa: true, ...unetOnly, network_alpha: 16 },
    presets: presets.sdxlPresets,
    settings: { ...commonSettings, network_dim: 32, resolution: 1024 },
    cachingNeedsUnetOnly: true,
  },
  {
    ...plain,
    id: 'sd-scripts/sd1',
    label: 'Stable Diffusion 1.x',
    description: 'Stable Diffusion 1.4, 1.5 and models made from them.',
    script: 'train_network.py',
    networkModules: NETWORKS,
    needs: [main('sd1'), anotherVae('sd-vae')],
    baseModels: [{ value: 'sd15', label: 'Stable Diffusion 1.5' }],
    flags: { ...common, sdpa: true, mixed_precision: 'fp16', save_precision: 'fp16' },
    presets: presets.sdPresets,
    settings: commonSettings,
    bucketStep: 64,
  },
  {
    ...plain,
    id: 'sd-scripts/sd2',
    label: 'Stable Diffusion 2.x',
    description: 'Stable Diffusion 2.0 and 2.1.',
    script: 'train_network.py',
    networkModules: NETWORKS,
    needs: [main('sd2'), anotherVae('sd-vae')],
    baseModels: [
      { value: 'sd21', label: 'Stable Diffusion 2.1 (768)', flags: { v_parameterization: true } },
      { value: 'sd21-base', label: 'Stable Diffusion 2.1 base (512)' },
    ],
    fixed: { v2: true },
    flags: { ...common, sdpa: true, mixed_precision: 'fp16', save_precision: 'fp16' },
    presets: presets.sdPresets,
    settings: { ...commonSettings, resolution: 768 },
    bucketStep: 64,
  },
  {
    ...plain,
    id: 'sd-scripts/sd3',
    label: 'Stable Diffusion 3',
    description: 'Stable Diffusion 3 and 3.5, Medium and Large.',
    script: 'sd3_train_network.py',
    // The documentation says networks.lora; the one made for this model is lora_sd3.
    networkModules: ['networks.lora_sd3', 'lycoris.kohya'],
    // Text encoders inside the checkpoint are not asked for (modelNeeds.ts).
    needs: [main('sd3'), clipL, need('clip_g', 'clip_g', 'CLIP-G'), t5],
    baseModels: [
      { value: 'sd3.5-medium', label: 'Stable Diffusion 3.5 Medium' },
      { value: 'sd3.5-large', label: 'Stable Diffusion 3.5 Large', mostBlocksToSwap: 36 },
      { value: 'sd3-medium', label: 'Stable Diffusion 3 Medium' },
    ],
    flags: { ...cached, sdpa: true, ...unetOnly, weighting_scheme: 'uniform' },
    presets: presets.sd3Presets,
    settings: { ...commonSettings, resolution: 1024 },
    // Medium has 24 blocks, Large 38; two have to stay (sd3_models.py:1078).
    mostBlocksToSwap: 22,
  },
  {
    ...plain,
    id: 'sd-scripts/lumina',
    label: 'Lumina Image 2',
    description: 'Lumina Image 2.0, with Gemma 2 as its text encoder.',
    script: 'lumina_train_network.py',
    networkModules: ['networks.lora_lumina', 'lycoris.kohya'],
    needs: [main('lumina2'), need('gemma2', 'gemma2', 'Gemma 2'), autoencoder],
    baseModels: [{ value: 'lumina-2', label: 'Lumina Image 2.0' }],
    flags: {
      ...cached,
      sdpa: true,
      ...unetOnly,
      optimizer_type: 'AdamW',
      network_alpha: 8,
      discrete_flow_shift: 6,
      ...raw,
      system_prompt: 'You are an assistant designed to generate high-quality images based on user prompts.',
    },
    presets: presets.luminaPresets,
    settings: { ...commonSettings, network_dim: 8, resolution: 1024, timestep_sampling: 'nextdit_shift' },
    // lumina_train_network.py asks for 64, then for 16.
    bucketStep: 64,
    mostBlocksToSwap: 24,
    timestepSampling: ['sigma', 'uniform', 'sigmoid', 'shift', 'nextdit_shift', 'flux_shift'],
  },
  {
    ...plain,
    id: 'sd-scripts/hunyuan-image',
    label: 'HunyuanImage 2.1',
    description: 'HunyuanImage 2.1. A large model: with less than 40 GB its weights are kept in fp8.',
    script: 'hunyuan_image_train_network.py',
    networkModules: ['networks.lora_hunyuan_image', 'lycoris.kohya'],
    needs: [
      main('hunyuan-image'),
      need('text_encoder', 'qwen2.5-vl', 'Qwen2.5-VL'),
      need('byt5', 'byt5', 'ByT5'),
      need('vae', 'hunyuan-vae', 'VAE'),
    ],
    baseModels: [{ value: 'hunyuan-image-2.1', label: 'HunyuanImage 2.1' }],
    fixed: { network_train_unet_only: true },
    flags: { ...cached, attn_mode: 'torch', split_attn: true, discrete_flow_shift: 5, ...raw },
    presets: presets.hunyuanPresets,
    settings: { ...commonSettings, resolution: 1024, timestep_sampling: 'sigma' },
    mostBlocksToSwap: 37,
    // hunyuan_image_train_network.py calls train_network.py's check first.
    bucketStep: 64,
    timestepSampling: FLOW_SAMPLING,
  },
  {
    ...plain,
    id: 'sd-scripts/anima',
    label: 'Anima',
    description: 'Anima, with Qwen3 as its text encoder.',
    script: 'anima_train_network.py',
    networkModules: ['networks.lora_anima', 'lycoris.kohya', ...LOHA_AND_LOKR],
    needs: [main('anima'), need('qwen3', 'qwen3', 'Qwen3'), need('vae', 'anima-vae', 'VAE')],
    baseModels: [model('anima', 'Anima base 1.0'), model('anima-preview', 'Anima preview')],
    // The documented command lacks network_train_unet_only, without which the script refuses to cache texts.
    flags: { ...cached, ...unetOnly, discrete_flow_shift: 1, vae_chunk_size: 64, vae_disable_cache: true },
    presets: presets.animaPresets,
    settings: { ...commonSettings, network_dim: 8, resolution: 1024, timestep_sampling: 'sigmoid' },
    bucketStep: 16,
    // 28 blocks; two have to stay (anima_models.py:1243).
    mostBlocksToSwap: 26,
    timestepSampling: FLOW_SAMPLING,
    cachingNeedsUnetOnly: true,
    cachesDroppedCaptions: true,
  },
];

export function findFamily(id: string): Family | null {
  return families.find((family) => family.id === id) ?? null;
}

/** Does its script read the sample prompts each time? Others encode theirs as they start. */
export function readsPromptsEachTime(id: string): boolean {
  return findFamily(id)?.script === 'train_network.py';
}
