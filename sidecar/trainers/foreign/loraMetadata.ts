import { isObject, jsonOrNull } from '../../files/exactJson.js';
import { trainerOfModel } from '../recordTrainer.js';
import { type ForeignFile, ForeignFileError, noPlace, type Said, squareSide } from './said.js';

/**
 * The settings in a LoRA's metadata, as sd-scripts and the practice trainer write them (sd-scripts train_network.py:1004;
 * every value is the text of a Python value). Throws a ForeignFileError where there are none (`--no_metadata`, or another
 * tool's file).
 */
export function readLoraMetadata(metadata: Record<string, string>): ForeignFile {
  const own = Object.entries(metadata).filter(([key]) => key.startsWith('ss_'));
  if (own.length === 0) {
    throw new ForeignFileError(
      'Its metadata has no settings: it was saved with --no_metadata, or by a tool other than sd-scripts.',
    );
  }
  return {
    kind: 'the metadata of a LoRA',
    trainer: familyOf(metadata),
    said: [...own.flatMap(([key, value]) => saidBy(key, value, metadata)), ...datasetOf(metadata)],
  };
}

function familyOf({ ss_model_type: type, ss_base_model_version: version, ss_v2: v2 }: Record<string, string>) {
  if (type === 'chroma') return 'sd-scripts/chroma';
  return trainerOfModel(version ?? '') ?? (v2 === 'True' ? 'sd-scripts/sd2' : null);
}

function saidBy(key: string, text: string, metadata: Record<string, string>): Said[] {
  const value = pythonValue(text);
  const name = key.slice(3);
  if (ELSEWHERE.has(name) || value === null) return [];
  if (PAST.test(name)) return [noPlace(key, text, 'It says how that training went; a new one starts from scratch.')];
  if (name === 'max_train_steps' && metadata.ss_num_epochs) return [];
  if (name === 'optimizer') return optimizer(key, text);
  if (name === 'network_args') return [{ from: key, name, value: pairs(jsonOrNull(text)) }];
  if (name === 'resolution') return [{ from: key, name, value: squareSide(text) ?? text }];
  return [{ from: key, name: RENAMED[name] ?? name, value }];
}

const RENAMED: Record<string, string> = {
  num_epochs: 'max_train_epochs',
  batch_size_per_device: 'train_batch_size',
  debiased_estimation: 'debiased_estimation_loss',
  sd_model_name: 'pretrained_model_name_or_path',
  vae_name: 'vae',
};
/** Read by others above and below. */
const ELSEWHERE = new Set(['datasets', 'dataset_dirs', 'base_model_version', 'v2', 'model_type', 'num_reg_images']);
const PAST =
  /^(?:session_id|training_\w+_at|epoch|steps|num_\w+_images|num_batches_per_epoch|total_batch_size|\w*hash|tag_frequency|bucket_info|reg_dataset_dirs|resize_interpolation)$/;

/** "True", "None" and "1e-05" as Python prints them. */
function pythonValue(text: string): string | boolean | null {
  if (text === 'None' || text === '') return null;
  return text === 'True' || text === 'False' ? text === 'True' : text;
}

/** "bitsandbytes.optim.adamw.AdamW8bit(weight_decay=0.1,betas=(0.9, 0.99))": the class, and what it was given. */
function optimizer(from: string, text: string): Said[] {
  const [, path = '', given = ''] = /^([\w.]+)(?:\((.*)\))?$/s.exec(text) ?? [];
  const args = given.match(/\w{1,60}=(?:\([^)]{0,200}\)|\[[^\]]{0,200}\]|[^,]{0,200})/g) ?? [];
  return [
    { from, name: 'optimizer_type', value: path.split('.').at(-1) || text },
    ...(args.length > 0 ? [{ from, name: 'optimizer_args', value: args.map((each) => each.replaceAll(' ', '')) }] : []),
  ];
}

function pairs(given: unknown): string[] {
  return isObject(given) ? Object.entries(given).map(([key, value]) => `${key}=${String(value)}`) : [];
}

/** The pictures: with `--dataset_config` they stand as JSON. */
function datasetOf(metadata: Record<string, string>): Said[] {
  const folders = jsonOrNull(metadata.ss_dataset_dirs ?? '');
  const [first, ...others] = isObject(folders) ? Object.entries(folders) : [];
  const datasets = jsonOrNull(metadata.ss_datasets ?? '');
  const dataset: unknown = Array.isArray(datasets) ? datasets[0] : null;
  const said: Said[] = [];
  if (first) {
    const [folder, told] = first;
    said.push({ from: 'ss_dataset_dirs', name: 'dataset', value: folder });
    if (isObject(told)) said.push({ from: 'ss_dataset_dirs', name: 'num_repeats', value: told.n_repeats });
  }
  for (const [folder] of others) said.push(noPlace('ss_dataset_dirs', folder, 'Add further datasets in the form.'));
  if (!isObject(dataset)) return said;
  const { resolution, batch_size_per_device: batch, keep_tokens, shuffle_caption, flip_aug, subsets } = dataset;
  if (resolution !== undefined) {
    said.push({ from: 'ss_datasets', name: 'resolution', value: squareSide(resolution) ?? resolution });
  }
  const subset: unknown = Array.isArray(subsets) ? subsets[0] : null;
  const inner = isObject(subset) ? subset : {};
  for (const [name, value] of Object.entries({
    train_batch_size: batch,
    keep_tokens: inner.keep_tokens ?? keep_tokens,
    shuffle_caption: inner.shuffle_caption ?? shuffle_caption,
    flip_aug: inner.flip_aug ?? flip_aug,
    concept_sentence: inner.class_tokens,
  }))
    said.push({ from: 'ss_datasets', name, value });
  return said;
}
