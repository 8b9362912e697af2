import type { SafetensorsHeader } from '../files/safetensors.js';
import type { ModelRole } from './roles.js';

/** What a header says. `reason`: why sd-scripts can't train with the file, in words. `lora`: not a model at all. */
export type Recognised = { role: ModelRole | null; detail: string | null; reason: string | null; lora: boolean };

/**
 * Recognises a `.safetensors` file by the names and shapes of its tensors. Names as sd-scripts loads them
 * (library/*_models.py, *_utils.py); the file's `name` only distinguishes models with the same tensors.
 */
export function recognise(header: Pick<SafetensorsHeader, 'places' | 'metadata'>, name: string): Recognised {
  const tensors = indexOf(header);
  if (isLora(tensors, header.metadata)) return { role: null, detail: null, reason: null, lora: true };
  const found = mainModel(tensors) ?? textEncoder(tensors) ?? autoencoder(tensors, name.toLowerCase());
  if (!found) return { role: null, detail: null, reason: null, lora: false };
  const detail = [found.detail, precision(tensors)].filter(Boolean).join(', ') || null;
  return { role: found.role, detail, reason: found.reason ?? quantised(tensors), lora: false };
}

type Found = { role: ModelRole | null; detail?: string; reason?: string } | null;

type Tensors = {
  /** Every name, without the prefix that ComfyUI and Stability add to a main model's. */
  names: string[];
  has(name: string): boolean;
  some(part: string): boolean;
  /** Size of one dimension; undefined without such a tensor. */
  size(name: string, dimension: number): number | undefined;
  dimensions(name: string): number;
  /** The prefix of the main model's names. */
  prefix: string;
  dtypes: Set<string>;
};

const PREFIXES = ['model.diffusion_model.', 'net.'];

function indexOf({ places }: Pick<SafetensorsHeader, 'places'>): Tensors {
  const prefix = PREFIXES.find((each) => places.some(({ name }) => name.startsWith(each))) ?? '';
  const byName = new Map(
    places.map((place) => [
      prefix && place.name.startsWith(prefix) ? place.name.slice(prefix.length) : place.name,
      place,
    ]),
  );
  const names = [...byName.keys()];
  // The type of most bytes is the precision: norms and biases often have another.
  const bytes = new Map<string, number>();
  for (const { dtype, from, to } of places) bytes.set(dtype, (bytes.get(dtype) ?? 0) + to - from);
  const most = Math.max(...bytes.values());
  return {
    names,
    prefix,
    has: (name) => byName.has(name),
    some: (part) => names.some((name) => name.includes(part)),
    size: (name, dimension) => byName.get(name)?.shape[dimension],
    dimensions: (name) => byName.get(name)?.shape.length ?? 0,
    dtypes: new Set([...bytes].filter(([, share]) => share === most).map(([dtype]) => dtype)),
  };
}

const LORA_NAMES = /^(lora_(unet|te\d?|prior_te)_|lycoris_)|\.(lora_(A|B|up|down)\b|hada_w1_a|lokr_w1|oft_blocks)/;

function isLora({ names }: Tensors, metadata: Record<string, string>): boolean {
  return 'ss_network_module' in metadata || names.some((name) => LORA_NAMES.test(name));
}

function mainModel(tensors: Tensors): Found {
  return (
    flux(tensors) ?? hunyuanImage(tensors) ?? sd3(tensors) ?? lumina2(tensors) ?? anima(tensors) ?? stable(tensors)
  );
}

/** flux_utils.py `analyze_checkpoint_state`, chroma_models.py. */
function flux({ has, size, some }: Tensors): Found {
  if (has('transformer_blocks.0.attn.add_k_proj.weight') && has('single_transformer_blocks.0.attn.to_k.weight')) {
    if (size('context_embedder.weight', 1) !== 4096 || size('x_embedder.weight', 0) !== 3072) return null;
    const reason = 'is in the diffusers layout: choose the whole folder, or the single file of the original release';
    return { role: 'flux', detail: 'diffusers layout', reason };
  }
  const hidden = size('double_blocks.0.img_attn.qkv.weight', 1);
  if (hidden !== 3072 || !has('single_blocks.0.linear1.weight')) return null;
  if (some('distilled_guidance_layer.')) {
    const reason = 'works on pixels instead of latents, which sd-scripts can’t train';
    return some('nerf_') ? { role: 'chroma', detail: 'Chroma Radiance', reason } : { role: 'chroma', detail: 'Chroma' };
  }
  const kind = has('guidance_in.in_layer.weight') ? 'dev' : 'schnell';
  const channels = size('img_in.weight', 1);
  const reason = 'is made for inpainting or control images, so LoRAs are not trained on it';
  if (channels !== undefined && channels !== 64)
    return { role: 'flux', detail: `${kind}, for inpainting or control`, reason };
  return { role: 'flux', detail: some('text_encoders.') ? `${kind}, with text encoders` : kind };
}

/** hunyuan_image_models.py: hidden size 3584, a ByT5 branch. */
function hunyuanImage({ has, size }: Tensors): Found {
  if (!has('double_blocks.0.img_attn_qkv.weight') || !has('byt5_in.fc1.weight')) return null;
  if (size('double_blocks.0.img_attn_qkv.weight', 1) !== 3584) return null;
  const reason = 'is the distilled or refiner model, which sd-scripts can’t train';
  const guided = has('guidance_in.mlp.0.weight') || has('time_r_in.mlp.0.weight');
  return guided ? { role: 'hunyuan-image', detail: 'distilled', reason } : { role: 'hunyuan-image' };
}

/** sd3_utils.py `analyze_state_dict_state`; it needs the prefix. */
function sd3({ has, size, some, prefix }: Tensors): Found {
  if (!has('joint_blocks.0.context_block.attn.qkv.weight')) return null;
  const size3 = (size('x_embedder.proj.weight', 0) ?? 0) / 64;
  const isNewer = has('joint_blocks.0.context_block.attn.ln_k.weight');
  const newer = some('.x_block.attn2.') ? '3.5 medium' : '3.5 large';
  const kind = isNewer ? newer : size3 === 24 ? '3 medium' : '3';
  const encoders = (['clip_l', 'clip_g', 't5xxl'] as const).filter((each) => some(`text_encoders.${each}.`));
  const detail = encoders.length > 0 ? `${kind}, with ${encoders.join(', ')}` : kind;
  const reason = 'has no “model.diffusion_model.” in its tensor names, which sd-scripts needs';
  return prefix ? { role: 'sd3', detail } : { role: 'sd3', detail, reason };
}

/** lumina_models.py NextDiT with the captions of Gemma 2 2B, 2304 wide; its relatives use other encoders. */
function lumina2({ has, size }: Tensors): Found {
  return has('noise_refiner.0.attention.qkv.weight') && size('cap_embedder.0.weight', 0) === 2304
    ? { role: 'lumina2' }
    : null;
}

/** anima_models.py: Cosmos-Predict2 with an adapter for the text encoder in the same file. */
function anima({ has, size }: Tensors): Found {
  if (!has('x_embedder.proj.1.weight') || !has('blocks.0.self_attn.q_proj.weight')) return null;
  if (!has('llm_adapter.out_proj.weight')) return null;
  return size('blocks.0.self_attn.q_proj.weight', 0) === 2048 ? { role: 'anima' } : null;
}

/** model_util.py, sdxl_model_util.py: distinguished by the width of the text that the U-Net attends to. */
function stable({ has, size, some, prefix }: Tensors): Found {
  const first = 'input_blocks.0.0.weight';
  if (!has(first)) return null;
  if (!prefix) return { role: null, reason: 'contains only the U-Net of a Stable Diffusion model' };
  const text =
    size('input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight', 1) ??
    size('input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight', 1);
  const role = text === 768 ? 'sd1' : text === 1024 ? 'sd2' : text === 2048 ? 'sdxl' : null;
  const refiner = 'is the refiner; LoRAs are trained on the base model';
  if (!role) return text === 1280 ? { role: 'sdxl', detail: 'refiner', reason: refiner } : null;
  if (size(first, 1) !== 4)
    return { role, detail: 'inpainting', reason: 'is made for inpainting, so LoRAs are not trained on it' };
  const encoder = some(role === 'sdxl' ? 'conditioner.embedders.' : 'cond_stage_model.');
  if (!encoder) return { role, reason: 'contains no text encoder' };
  return some('first_stage_model.') ? { role } : { role, reason: 'contains no VAE' };
}

function textEncoder(tensors: Tensors): Found {
  return clip(tensors) ?? t5(tensors) ?? language(tensors);
}

/** With the names of transformers, the only ones that sd3_utils.py and flux_utils.py load. */
function clip({ has, size, some }: Tensors): Found {
  const width = size('text_model.encoder.layers.0.mlp.fc1.weight', 1);
  if (width === 768 && has('text_model.encoder.layers.11.mlp.fc1.weight')) {
    return some('vision_model.') ? { role: 'clip_l', detail: 'with the vision part' } : { role: 'clip_l' };
  }
  return width === 1280 && has('text_model.encoder.layers.31.mlp.fc1.weight') ? { role: 'clip_g' } : null;
}

/** T5 1.1 XXL has 24 blocks and a vocabulary of 32,128; ByT5 small of HunyuanImage knows 1,510 bytes and marks. */
function t5({ has, size }: Tensors): Found {
  const query = 'encoder.block.0.layer.0.SelfAttention.q.weight';
  if (!has(query)) return null;
  if (size(query, 1) === 1472) {
    const reason = 'is plain ByT5; HunyuanImage needs the one with glyphs (byt5_small_glyphxl)';
    return size('shared.weight', 0) === 1510 ? { role: 'byt5' } : { role: 'byt5', reason };
  }
  if (size(query, 1) !== 4096 || size(query, 0) !== 4096 || !has('encoder.block.23.layer.0.SelfAttention.q.weight'))
    return null;
  return (size('shared.weight', 0) ?? 32128) === 32128 ? { role: 't5xxl' } : null;
}

function language({ size, has }: Tensors): Found {
  const at = (name: string, dimension: number) => size(`model.${name}`, dimension) ?? size(name, dimension);
  const width = at('embed_tokens.weight', 1);
  if (width === 2304 && at('embed_tokens.weight', 0) === 256000) return { role: 'gemma2', detail: '2B' };
  if (width === 3584 && has('visual.blocks.0.attn.qkv.weight')) return { role: 'qwen2.5-vl', detail: '7B' };
  const qwen3 = at('layers.0.self_attn.q_norm.weight', 0) === 128;
  if (qwen3 && width === 1024) return { role: 'qwen3', detail: '0.6B' };
  return null;
}

function autoencoder({ has, size, dimensions, some }: Tensors, name: string): Found {
  // qwen_image_autoencoder_kl.py `convert_comfyui_state_dict`: as ComfyUI names it, and as diffusers does.
  const video = dimensions('decoder.conv1.weight') === 5 ? 'decoder.conv1.weight' : 'decoder.conv_in.weight';
  if (dimensions(video) === 5 && size(video, 1) === 16) {
    const wan = name.includes('wan');
    return { role: 'anima-vae', detail: wan ? 'Wan 2.1, which has the same tensors' : 'Qwen-Image' };
  }
  const channels = size('decoder.conv_in.weight', 1) ?? size('first_stage_model.decoder.conv_in.weight', 1);
  if (channels === undefined || dimensions(video) === 5) return null;
  const diffusers = some('encoder.down_blocks.');
  const layout = diffusers ? { reason: 'is in the diffusers layout, which sd-scripts loads only as a folder' } : {};
  if (channels === 64) return { role: 'hunyuan-vae' };
  if (channels === 16) {
    if (/sd_?3|stable-diffusion-3/.test(name))
      return { role: null, reason: 'is the VAE of Stable Diffusion 3, which the model already contains' };
    return has('quant_conv.weight') ? null : { role: 'ae', ...layout };
  }
  if (channels !== 4) return null;
  if (/xl/.test(name)) return { role: 'sdxl-vae', ...layout };
  return { role: 'sd-vae', detail: 'of SD or SDXL, which have the same tensors', ...layout };
}

const PRECISIONS: Record<string, string> = {
  F32: 'fp32',
  F16: 'fp16',
  BF16: 'bf16',
  F8_E4M3: 'fp8',
  F8_E5M2: 'fp8 e5m2',
  I8: 'int8',
  U8: '4 bit',
};

function precision({ dtypes }: Tensors): string | null {
  const [dtype] = dtypes;
  return dtype ? (PRECISIONS[dtype] ?? null) : null;
}

/** flux_train_network.py:115 takes plain fp8 (e4m3fn), without scales or packed bits. */
function quantised({ dtypes, some, has }: Tensors): string | null {
  if (has('scaled_fp8') || some('.scale_weight') || some('.weight_scale') || some('.comfy_quant')) {
    return 'is scaled fp8, which sd-scripts can’t load: use the one without “scaled”';
  }
  if (dtypes.has('F8_E5M2')) return 'is fp8 e5m2, which sd-scripts can’t load: use e4m3fn or bf16';
  const packed = some('.quant_state') || some('.absmax') || some('.qweight') || dtypes.has('I8') || dtypes.has('U8');
  return packed ? 'is quantised, and sd-scripts can’t train on it: use bf16, fp16 or plain fp8' : null;
}
