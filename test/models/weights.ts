import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const BYTES: Record<string, number> = { F32: 4, F16: 2, BF16: 2, F8_E4M3: 1, F8_E5M2: 1, U8: 1 };

/** Tensors by name: shape, and dtype where it is not BF16. */
export type Tensors = Record<string, number[] | { shape: number[]; dtype: string }>;

/** A `.safetensors` of its true size with nothing on the disk but its header. `present` cuts it short, 0 to 1. */
export function writeWeights(
  path: string,
  tensors: Tensors,
  options: { metadata?: Record<string, string>; present?: number } = {},
): void {
  const header: Record<string, unknown> = options.metadata ? { __metadata__: options.metadata } : {};
  let end = 0;
  for (const [name, tensor] of Object.entries(tensors)) {
    const { shape, dtype } = Array.isArray(tensor) ? { shape: tensor, dtype: 'BF16' } : tensor;
    const from = end;
    end += shape.reduce((product, each) => product * each, BYTES[dtype] ?? 1);
    header[name] = { dtype, shape, data_offsets: [from, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'w');
  writeSync(file, Buffer.concat([length, json]));
  ftruncateSync(file, Math.floor((8 + json.length + end) * (options.present ?? 1)));
  closeSync(file);
}

/** The names and shapes that tell each model from the others, as the real files have them. */
export const models = {
  fluxDev: flux({ 'guidance_in.in_layer.weight': [3072, 256] }),
  fluxSchnell: flux({}),
  fluxFill: flux({ 'guidance_in.in_layer.weight': [3072, 256], 'img_in.weight': [3072, 384] }),
  chroma: flux({ 'distilled_guidance_layer.in_proj.weight': [5120, 64] }),
  sd1: stable(768, 'input_blocks.1.1', ['cond_stage_model.transformer.text_model.embeddings.position_ids']),
  sd2: stable(1024, 'input_blocks.1.1', ['cond_stage_model.model.positional_embedding']),
  sdxl: stable(2048, 'input_blocks.4.1', ['conditioner.embedders.0.transformer.text_model.embeddings.position_ids']),
  refiner: stable(1280, 'input_blocks.4.1', ['conditioner.embedders.0.model.positional_embedding']),
  sd35Medium: {
    'model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight': [4608, 1536],
    'model.diffusion_model.joint_blocks.0.context_block.attn.ln_k.weight': [64],
    'model.diffusion_model.joint_blocks.0.x_block.attn2.ln_k.weight': [64],
    'model.diffusion_model.x_embedder.proj.weight': [1536, 16, 2, 2],
  },
  lumina2: { 'noise_refiner.0.attention.qkv.weight': [3840, 2304], 'cap_embedder.0.weight': [2304] },
  zImage: { 'noise_refiner.0.attention.qkv.weight': [11520, 3840], 'cap_embedder.0.weight': [2560] },
  hunyuanImage: { 'double_blocks.0.img_attn_qkv.weight': [10752, 3584], 'byt5_in.fc1.weight': [2048, 1472] },
  anima: {
    'net.x_embedder.proj.1.weight': [2048, 68],
    'net.blocks.0.self_attn.q_proj.weight': [2048, 2048],
    'net.llm_adapter.out_proj.weight': [1024, 1024],
  },
  cosmos: { 'net.x_embedder.proj.1.weight': [2048, 68], 'net.blocks.0.self_attn.q_proj.weight': [2048, 2048] },
  clipL: clip(768, 3072, 12),
  clipG: clip(1280, 5120, 32),
  t5xxl: t5([4096, 4096], 23, 32128),
  umt5: t5([4096, 4096], 23, 256384),
  byt5: t5([384, 1472], 11, 1510),
  plainByt5: t5([384, 1472], 11, 384),
  gemma2: { 'model.embed_tokens.weight': [256000, 2304], 'model.layers.0.self_attn.q_proj.weight': [2048, 2304] },
  qwenVl: { 'model.embed_tokens.weight': [152064, 3584], 'visual.blocks.0.attn.qkv.weight': [3840, 1280] },
  qwen3: { 'model.embed_tokens.weight': [151936, 1024], 'model.layers.0.self_attn.q_norm.weight': [128] },
  qwen3Large: { 'model.embed_tokens.weight': [151936, 2560], 'model.layers.0.self_attn.q_norm.weight': [128] },
  ae: { 'encoder.down.0.block.0.conv1.weight': [128, 128, 3, 3], 'decoder.conv_in.weight': [512, 16, 3, 3] },
  sdVae: { 'quant_conv.weight': [8, 8, 1, 1], 'decoder.conv_in.weight': [512, 4, 3, 3] },
  hunyuanVae: { 'encoder.down.0.block.0.conv1.weight': [128, 128, 3, 3], 'decoder.conv_in.weight': [1024, 64, 3, 3] },
  qwenVae: { 'conv1.bias': [32], 'decoder.conv1.weight': [384, 16, 3, 3, 3] },
  lora: { 'lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight': [4, 3072] },
  peftLora: { 'transformer.single_transformer_blocks.0.attn.to_k.lora_A.weight': [4, 3072] },
} satisfies Record<string, Tensors>;

function flux(more: Tensors): Tensors {
  return {
    'double_blocks.0.img_attn.qkv.weight': [9216, 3072],
    'single_blocks.0.linear1.weight': [21504, 3072],
    'img_in.weight': [3072, 64],
    ...more,
  };
}

function stable(width: number, block: string, more: string[]): Tensors {
  return {
    'model.diffusion_model.input_blocks.0.0.weight': [320, 4, 3, 3],
    [`model.diffusion_model.${block}.transformer_blocks.0.attn2.to_k.weight`]: [320, width],
    'first_stage_model.decoder.conv_in.weight': [512, 4, 3, 3],
    ...Object.fromEntries(more.map((name) => [name, [1, 77]])),
  };
}

function clip(width: number, inner: number, layers: number): Tensors {
  const names = Array.from({ length: layers }, (_, i) => `text_model.encoder.layers.${i}.mlp.fc1.weight`);
  return Object.fromEntries(names.map((name) => [name, [inner, width]]));
}

function t5(query: number[], last: number, vocabulary: number): Tensors {
  return {
    'shared.weight': [vocabulary, query[1] ?? 0],
    'encoder.block.0.layer.0.SelfAttention.q.weight': query,
    [`encoder.block.${last}.layer.0.SelfAttention.q.weight`]: query,
  };
}
