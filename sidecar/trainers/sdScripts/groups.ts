import type { Argument } from '../arguments.js';

/** Groups for sd-scripts' two hundred flags, whose parsers have one group, "options". The first match counts. */
const groups: readonly { title: string; flags: RegExp }[] = [
  { title: 'Metadata of the LoRA', flags: /^(metadata_|no_metadata|training_comment)/ },
  { title: 'Upload to the hub', flags: /(huggingface|async_upload)/ },
  { title: 'Validation', flags: /validat/ },
  { title: 'Samples', flags: /^sample_/ },
  { title: 'Logging', flags: /^(log_|wandb_|console_)/ },
  { title: 'Checkpoints and states', flags: /^(save_|no_half_vae$)/ },
  { title: 'Network', flags: /^(network_|dim_from_weights|base_weights|scale_weight_norms|.*_adapter_)/ },
  { title: 'Learning rate', flags: /(_lr$|^lr_|^unet_lr|^text_encoder_lr)/ },
  { title: 'Optimizer', flags: /^(optimizer_|max_grad_norm|fused_|gradient_accumulation|train_batch_size)/ },
  { title: 'Captions', flags: /(caption|token|wildcard|secondary_separator|system_prompt|clip_skip|dropout_rate)/ },
  {
    title: 'Pictures',
    flags: /(^bucket|_aug$|_crop|face_crop|resize_|alpha_mask|masked_loss|prior_loss|cache_info|pos_emb|resolution)/,
  },
  { title: 'Caches', flags: /^(cache_|skip_cache_check|vae_batch_size|text_encoder_batch_size)/ },
  {
    title: 'Memory and speed',
    flags:
      /(fp8|fp16|bf16|precision|checkpointing|swap|vram|lowram|attn|sdpa|xformers|compile|dynamo|vae_|_cpu$|mmap|workers|ddp|device)/,
  },
  {
    title: 'Noise, timesteps and loss',
    flags: /(noise|timestep|snr|loss|huber|shift|sigmoid|logit|mode_scale|weighting|prediction|parameterization|gamma)/,
  },
  { title: 'Models', flags: /(model|^vae$|clip_|t5|encoder|gemma|qwen|byt5|^ae$|controlnet)/ },
];

/** The flag with its group, and its help in English only: the Japanese half repeats it. */
export function inGroup(argument: Argument): Argument {
  const group = groups.find(({ flags }) => flags.test(argument.name))?.title ?? 'More';
  return { ...argument, group, help: argument.help && english(argument.help) };
}

/** The titles, in the order of the form. */
export const groupTitles: readonly string[] = [
  ...['Network', 'Optimizer', 'Learning rate', 'Memory and speed', 'Caches', 'Pictures', 'Captions'],
  ...['Noise, timesteps and loss', 'Checkpoints and states', 'Samples', 'Models', 'Validation', 'Logging'],
  ...['Metadata of the LoRA', 'Upload to the hub', 'More'],
];

/** "first half / 後半" → "first half". */
function english(help: string): string {
  const parts = help.split('/');
  const at = parts.findIndex((part, index) => index > 0 && /[\u3040-\u30ff\u4e00-\u9fff]/u.test(part));
  const before = at < 0 ? '' : parts.slice(0, at).join('/').trim();
  return before || help.trim();
}
