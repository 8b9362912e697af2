import { isObject } from '../../files/exactJson.js';
import { shellWords } from '../script/shellWords.js';
import { type ForeignFile, noPlace, type Said, squareSide } from './said.js';

/** What `--config_file` takes: flags by name, in sections of any name (sd-scripts train_util.py:4744). */
export function readConfigFile(sections: Record<string, unknown>): ForeignFile {
  const values = Object.entries(sections).flatMap(([name, value]): [string, unknown][] =>
    isObject(value) ? Object.entries(value) : [[name, value]],
  );
  const said = values.map(([name, value]) => flag(name, name, value));
  return { kind: 'a configuration file of sd-scripts', trainer: familyOfFlags(Object.fromEntries(values)), said };
}

/** What `--dataset_config` takes (sd-scripts config_util.py): of the first dataset and its first folder of pictures. */
export function readDatasetConfig({ general, datasets }: Record<string, unknown>): ForeignFile {
  const all = Array.isArray(datasets) ? datasets.filter(isObject) : [];
  const [first = {}, ...others] = all;
  const subsets = Array.isArray(first.subsets) ? first.subsets.filter(isObject) : [];
  const [subset = {}, ...further] = subsets;
  const { subsets: _, ...own } = first;
  const merged: Record<string, unknown> = { ...(isObject(general) ? general : {}), ...own, ...subset };
  const said = Object.entries(merged).map(([name, value]): Said => {
    if (name === 'image_dir') return { from: name, name: 'dataset', value };
    if (name === 'class_tokens') return { from: name, name: 'concept_sentence', value };
    return flag(name, name === 'batch_size' ? 'train_batch_size' : name, value);
  });
  const more = others.length + further.length;
  if (more > 0) said.push(noPlace('datasets', `${more} more`, 'Add further datasets in the form.'));
  return { kind: 'a dataset configuration of sd-scripts', trainer: null, anyTrainer: true, said };
}

/** What kohya_ss saves from its page: its own names for some flags, and all that its page has, changed or not. */
export function readKohyaPage(values: Record<string, unknown>): ForeignFile {
  const isFlux = values.flux1_checkbox === true || values.LoRA_type === 'Flux1';
  const families = [
    [isFlux, 'sd-scripts/flux'],
    [values.sdxl === true, 'sd-scripts/sdxl'],
    [values.sd3_checkbox === true, 'sd-scripts/sd3'],
    [values.v2 === true, 'sd-scripts/sd2'],
  ] as const;
  const trainer = families.find(([is]) => is)?.[1] ?? familyOfFlags(values);
  const said = Object.entries(values).flatMap(([name, value]) => pageValue(name, value, values, trainer));
  return { kind: 'a configuration of kohya_ss', trainer, said: [...said, ...network(values, isFlux)] };
}

function pageValue(name: string, value: unknown, all: Record<string, unknown>, trainer: string | null): Said | Said[] {
  // An empty field or a zero there means that the flag is not given.
  if (value === '' || value === null || value === 0 || value === 'None' || NETWORK.has(name)) return [];
  if (name === 'epoch') return all.max_train_epochs ? [] : { from: name, name: 'max_train_epochs', value };
  if (name === 'max_train_steps' && (all.max_train_epochs || all.epoch)) return [];
  if (name === 'optimizer') return { from: name, name: 'optimizer_type', value };
  if (name === 'optimizer_args' || name === 'lr_scheduler_args') {
    return { from: name, name, value: shellWords(String(value)) };
  }
  if (name === 'max_resolution') return { from: name, name: 'resolution', value: squareSide(value) ?? value };
  // Per cent of the steps there; sd-scripts takes a share.
  if (name === 'lr_warmup') return { from: name, name: 'lr_warmup_steps', value: Number(value) / 100 };
  if (name === 'sample_prompts') return { from: name, name: 'prompts', value };
  if (name === 'xformers') return { from: name, name: String(value), value: true };
  if (name === 'additional_parameters') return saidInFlags(shellWords(String(value)), name);
  if (name === 'logging_dir' || name === 'train_data_dir' || name === 'reg_data_dir') {
    return noPlace(name, value, 'A folder of another machine.');
  }
  const [, family, bare] = /^(flux1|sdxl|sd3)_(.+)$/.exec(name) ?? [];
  if (bare === 'checkbox') return [];
  if (bare !== undefined) return trainer === `sd-scripts/${family?.replace('1', '')}` ? flag(name, bare, value) : [];
  if (PAGE_ONLY.test(name)) return value === false ? [] : noPlace(name, value, 'It belongs to the page of kohya_ss.');
  return flag(name, name, value);
}

/** How kohya_ss starts and shows things; its networks have fields of which only some hold for the chosen one. */
const PAGE_ONLY =
  /^(?:model_list|async_upload|log_config|num_(?:machines|processes|cpu_threads_per_process)|multi_gpu|gpu_ids|main_process_port|dynamo_\w+|extra_accelerate_launch_args|noise_offset_type|save_as_bool|sdxl|v2|caption_extension|stop_text_encoder_training(?:_pct)?)$/;
const NETWORK = new Set(
  'LoRA_type LyCORIS_preset algo block_alphas block_dims block_lr_zero_threshold bypass_mode constrain conv_alpha conv_block_alphas conv_block_dims conv_dim decompose_both dim_from_weights dora_wd down_lr_weight factor mid_lr_weight module_dropout rank_dropout rank_dropout_scale rescaled split_mode split_qkv train_blocks train_norm train_on_input unit up_lr_weight use_cp use_scalar use_tucker network_dropout scale_weight_norms'.split(
    ' ',
  ),
);

/** `LoRA_type` stands for a module and its arguments (kohya_ss lora_gui.py). */
function network(values: Record<string, unknown>, isFlux: boolean): Said[] {
  const { LoRA_type: type, train_blocks: blocks, network_dropout: dropout, scale_weight_norms: norms } = values;
  const from = 'LoRA_type';
  const said: Said[] = [
    ...(dropout ? [flag('network_dropout', 'network_dropout', dropout)] : []),
    ...(norms ? [flag('scale_weight_norms', 'scale_weight_norms', norms)] : []),
  ];
  if (type === undefined) return said;
  if (type === 'Standard')
    return [...said, { from, name: 'network_module', value: isFlux ? 'networks.lora_flux' : 'networks.lora' }];
  if (type === 'Flux1') {
    said.push({ from, name: 'network_module', value: 'networks.lora_flux' });
    if (blocks && blocks !== 'all')
      said.push({ from: 'train_blocks', name: 'network_args', value: [`train_blocks=${String(blocks)}`] });
    return said;
  }
  const algorithm = /^LyCORIS\/(LoCon|LoHa|LoKr|iA3|DyLoRA)$/.exec(String(type))?.[1]?.toLowerCase();
  if (!algorithm) return [...said, noPlace(from, type, 'Choose its network among the flags of the form.')];
  const args = ['conv_dim', 'conv_alpha', 'factor']
    .filter((name) => values[name])
    .map((name) => `${name}=${String(values[name])}`);
  return [
    ...said,
    { from, name: 'network_module', value: 'lycoris.kohya' },
    { from, name: 'network_args', value: [`algo=${algorithm}`, ...args] },
  ];
}

/** Flags of a command line: `--name value`, `--name=value`, `--name` alone, or several values behind one. */
export function saidInFlags(tokens: readonly string[], within?: string): Said[] {
  const said: Said[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const [, name, own] = /^--([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(tokens[at] ?? '') ?? [];
    if (name === undefined) continue;
    const values = own === undefined ? [] : [own];
    while (at + 1 < tokens.length && !/^--[A-Za-z]/.test(tokens[at + 1] ?? '')) {
      at += 1;
      values.push(tokens[at] ?? '');
    }
    const value = values.length === 0 ? true : values.length === 1 ? values[0] : values;
    said.push(flag(within ? `${within}: --${name}` : `--${name}`, name, value));
  }
  return said;
}

function flag(from: string, name: string, value: unknown): Said {
  // FluxGym's 12 GB preset; sd-scripts replaced it (docs/flux_train_network.md).
  if (name === 'split_mode' && value === true) return { from, name: 'blocks_to_swap', value: 18 };
  if (name === 'resolution') return { from, name, value: squareSide(value) ?? value };
  return { from, name: name === 'class_tokens' ? 'concept_sentence' : name, value };
}

/** Model flags that only one family has. */
const FAMILY_BY_FLAG: readonly [flag: string, trainer: string][] = [
  ['qwen3', 'sd-scripts/anima'],
  ['gemma2', 'sd-scripts/lumina'],
  ['byt5', 'sd-scripts/hunyuan-image'],
  ['clip_g', 'sd-scripts/sd3'],
  ['ae', 'sd-scripts/flux'],
  ['v2', 'sd-scripts/sd2'],
];

function familyOfFlags(values: Record<string, unknown>): string | null {
  if (values.model_type === 'chroma') return 'sd-scripts/chroma';
  return FAMILY_BY_FLAG.find(([name]) => values[name])?.[1] ?? null;
}
