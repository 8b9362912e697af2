import { fixture } from '../../fixtures.js';
import { launcher, type Row } from '../logs.js';

type Said = Omit<Row, 'name' | 'log'>;

/** One that `accelerate launch` started, its words included. */
const started = (name: string, row: Said): Row => ({
  name: `broken: ${name}`,
  log: fixture(`broken/${name}.log`),
  ...row,
});

/** One that ran by itself: the launcher's words are put behind it. */
const alone = (name: string, row: Said): Row => ({
  name: `broken: ${name}`,
  log: `${fixture(`broken/${name}.log`)}${launcher()}`,
  ...row,
});

const conflict = { code: 'settings_conflict', again: 'repeats' } as const;
const unknown = { code: null, again: null } as const;
const withoutWorkers = { argv: ['train_network.py', '--max_data_loader_n_workers=0'] };

/**
 * What the real sd-scripts (48d368f, on the CPU) printed when it was broken on purpose, shortened; folders are named as on a
 * pod. An end that nobody can know for certain shows its own words.
 */
export const broken: Row[] = [
  started('warmup_constant', { ...conflict, says: /does not require `num_warmup_steps`/ }),
  started('accum_0', { ...unknown, says: /ZeroDivisionError: float division by zero/ }),
  started('batch_0', { ...unknown, says: /ZeroDivisionError: division by zero/ }),
  alone('save_steps_0', { ...unknown, says: /ZeroDivisionError: integer modulo by zero/ }),
  alone('caption_latin1', { code: 'caption_encoding', says: /cat\/a_latin\.txt is not in UTF-8/, again: 'repeats' }),
  alone('picture_broken', {
    code: 'picture_broken',
    says: /^\/pod\/datasets\/cat\/zz\.png is not a picture/,
    again: 'repeats',
  }),
  alone('picture_empty', { code: 'picture_broken', says: /^\/pod\/datasets\/cat\/zz\.png is not a picture/ }),
  alone('npz_cut', { code: 'broken_cache', says: /Clear the caches/, again: 'repeats' }),
  alone('clip_skip_100', { ...unknown, says: /IndexError: tuple index out of range/ }),
  alone('dim_from_weights_alone', { ...unknown, says: /TypeError: expected str, bytes/ }),
  alone('dropout_2', { ...conflict, says: /dropout probability/ }),
  alone('fp8_base', { ...conflict, says: /requires mixed precision='fp16' or 'bf16'\./, not: /必要/ }),
  alone('full_fp16', { ...unknown, says: /_unscale_grads_/ }),
  alone('lr_0', { ...conflict, says: /nothing to train/ }),
  alone('lycdef_lyc4', { code: 'package_version', says: /pip install lycoris-lora==3\.2\.0\.post2/, again: 'repeats' }),
  alone('module_missing', {
    code: 'package_missing',
    says: /pip install lycoris-lora==3\.2\.0\.post2/,
    again: 'repeats',
  }),
  alone('model_lora', {
    code: 'wrong_model',
    argv: ['--pretrained_model_name_or_path=/pod/models/lora.safetensors'],
    says: /\/pod\/models\/lora\.safetensors.*may be a LoRA/,
    again: 'repeats',
  }),
  alone('model_missing', {
    code: 'model_missing',
    says: /^\/pod\/models\/none\.safetensors is neither/,
    again: 'repeats',
  }),
  alone('vae_missing', { code: 'model_missing', says: /^\/pod\/models\/none\.safetensors/ }),
  alone('weights_missing', { code: 'file_missing', says: /^\/pod\/models\/none\.safetensors is missing/ }),
  alone('weights_other_dim', {
    code: 'size_mismatch',
    argv: ['--network_weights=/pod/outputs/first/cat.safetensors'],
    says: /first\/cat\.safetensors\) is of another size/,
  }),
  alone('network_args_noeq', { ...unknown, says: /not enough values to unpack/ }),
  alone('opt_Prodigy', { code: 'package_missing', says: /pip install prodigyopt;/, not: /install prodigy;/ }),
  alone('opt_AdamWScheduleFree', { code: 'package_missing', says: /pip install schedulefree;/ }),
  alone('optimizer_args_unknown', { ...conflict, says: /AdamW has no option nonexistent/ }),
  alone('persistent_0', { ...conflict, says: /num_workers > 0/ }),
  alone('prompts_seed', { ...unknown, says: /Overflow when unpacking long long/ }),
  alone('resume_cut', { code: 'cut_file', says: /state folder/, again: 'repeats' }),
  alone('resume_other_opt', {
    code: 'other_optimizer',
    argv: ['--resume=/pod/outputs/first/cat-000001-state'],
    again: 'repeats',
  }),
  // The same words of a training from the beginning say nothing of a state.
  alone('resume_other_opt', { ...unknown, says: /KeyError: 'momentum'/ }),
  alone('sched_cosine_with_min_lr', { ...conflict, says: /min_lr/ }),
  alone('sched_piecewise_constant', { ...conflict, says: /needs 'step_rules'/ }),
  alone('scheduler_type_cyclic', { ...conflict, says: /needs 'base_lr' and 'max_lr'/ }),
  alone('dylora_dim', { ...conflict, says: /multiple of unit/ }),
  alone('min_bucket', { ...conflict, says: /divisible by 64/ }),
  alone('tb_nodir', { ...conflict, says: /logging_dir is required/ }),
  alone('toml_bad', { code: 'config_broken', says: /dataset\.toml cannot be read/ }),
  alone('toolkit_module', { code: 'checkout_incomplete', says: /networks\.nothere/ }),
  alone('wandb', { code: 'package_missing', says: /pip install wandb;/ }),
  alone('xformers', { code: ['package_missing', 'attention_missing'], says: /xformers/ }),
  alone('offline_model', { code: 'hub_offline' }),
  alone('tokenizer_gone', { code: 'tokenizer_missing' }),
  started('sigkill', { code: 'killed', again: null }),
  started('sigterm', { code: 'ended_by_signal', again: 'by hand' }),
  started('sigsegv', { code: 'crash', says: /SIGSEGV/ }),
  started('sigabrt', { code: 'crash', says: /SIGABRT/ }),
  started('sigbus', { code: 'crash', says: /SIGBUS/, not: /shared memory|loader workers/, ...withoutWorkers }),
  started('sigbus', { code: 'shm', says: /\/dev\/shm/ }),
  started('worker_kill', { code: 'ram', says: /loader worker/ }),
  started('data_gone', { code: 'file_missing', says: /^\/pod\/datasets\/cat\/01-morning\.png is missing/ }),
  started('out_gone', { code: 'file_missing', says: /^\/pod\/outputs\/cat/ }),
  started('fsize', { code: 'file_too_large', says: /larger than/ }),
];
