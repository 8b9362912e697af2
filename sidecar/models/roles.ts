/** The roles of a model file in a training: main model (first line), text encoder, or autoencoder. */
export const modelRoles = [
  ...(['sd1', 'sd2', 'sdxl', 'flux', 'chroma', 'sd3', 'lumina2', 'hunyuan-image', 'anima'] as const),
  ...(['clip_l', 'clip_g', 't5xxl', 'gemma2', 'qwen2.5-vl', 'byt5', 'qwen3'] as const),
  ...(['ae', 'sd-vae', 'sdxl-vae', 'hunyuan-vae', 'anima-vae'] as const),
] as const;

/** `ae` is the 16-channel autoencoder that FLUX.1, Chroma and Lumina 2 share. */
export type ModelRole = (typeof modelRoles)[number];

/** A model on this machine: one file, or a diffusers folder. */
export interface ModelFile {
  /** Absolute; the value of a trainer's flag. */
  path: string;
  /** Its name for people: the path inside the searched folder. */
  name: string;
  /** Bytes on disk. */
  bytes: number;
  /** Null: not a model that any family here needs. */
  role: ModelRole | null;
  /** More from its header: "FLUX.1 schnell, fp8"; null without any. */
  detail: string | null;
  /** Complete, and loadable by the trainers. */
  usable: boolean;
  /** Why it is not usable, in words that follow its name ("is cut short"); null if it is. */
  reason: string | null;
}

/** The roles in words, for people. */
export const roleNames: Record<ModelRole, string> = {
  sd1: 'Stable Diffusion 1.x',
  sd2: 'Stable Diffusion 2.x',
  sdxl: 'SDXL',
  flux: 'FLUX.1',
  chroma: 'Chroma',
  sd3: 'Stable Diffusion 3 / 3.5',
  lumina2: 'Lumina Image 2',
  'hunyuan-image': 'HunyuanImage 2.1',
  anima: 'Anima',
  clip_l: 'CLIP-L text encoder',
  clip_g: 'CLIP-G text encoder',
  t5xxl: 'T5-XXL text encoder',
  gemma2: 'Gemma 2 text encoder',
  'qwen2.5-vl': 'Qwen2.5-VL text encoder',
  byt5: 'ByT5 text encoder',
  qwen3: 'Qwen3 text encoder',
  ae: 'FLUX autoencoder',
  'sd-vae': 'SD 1.x / 2.x VAE',
  'sdxl-vae': 'SDXL VAE',
  'hunyuan-vae': 'HunyuanImage VAE',
  'anima-vae': 'Anima VAE',
};
