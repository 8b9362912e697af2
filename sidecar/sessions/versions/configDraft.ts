import { parse } from 'smol-toml';
import { jsonOrNull } from '../../files/exactJson.js';
import { Problem } from '../../problem.js';
import { type Argument, checkArguments } from '../../trainers/arguments.js';
import { findTrainer } from '../../trainers/catalogue.js';
import { pathRoots } from '../../trainers/pathRoots.js';
import { trainerOfModel } from '../../trainers/recordTrainer.js';
import type { Checks } from './trainerFields.js';

/** The largest file that is read, in characters. */
const LARGEST = 1_000_000;

/** Settings of the form by sd-scripts' names. */
const SETTINGS: Record<string, string> = {
  ...{ network_dim: 'network_dim', learning_rate: 'learning_rate', seed: 'seed', resolution: 'resolution' },
  ...{ max_train_epochs: 'max_train_epochs', max_train_steps: 'max_train_steps', save_state: 'enable_checkpointing' },
  ...{ save_every_n_epochs: 'save_every_n_epochs', sample_every_n_steps: 'sample_every_n_steps' },
  ...{ guidance_scale: 'guidance_scale', timestep_sampling: 'timestep_sampling' },
  ...{ max_data_loader_n_workers: 'workers', output_name: 'lora_name' },
};

/** Model flags that only one family has. */
const FAMILY_BY_FLAG: readonly [flag: string, trainer: string][] = [
  ['qwen3', 'sd-scripts/anima'],
  ['gemma2', 'sd-scripts/lumina'],
  ['byt5', 'sd-scripts/hunyuan-image'],
  ['clip_g', 'sd-scripts/sd3'],
  ['ae', 'sd-scripts/flux'],
  ['v2', 'sd-scripts/sd2'],
];

/**
 * A request with the values of a configuration file in it (`config`: the text of what `--config_file` takes, TOML with
 * sections of any name, or JSON); what the request itself says wins. What has no place here is written into the notes, so
 * that nothing is dropped in silence. Throws a Problem for a file that cannot be read, or tells no family.
 */
export async function withConfig(checks: Checks, asked: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { config, ...fields } = asked;
  if (config === undefined || config === '') return fields;
  const values = readConfig(config);
  const trainer = findTrainer(checks.settings, String(fields.trainer || '') || familyOf(values));
  const known = trainer.furtherArguments(await checks.describe(trainer));
  const roots = pathRoots(checks.settings, trainer);
  const found: Record<string, unknown> = {};
  const flags: Record<string, unknown> = {};
  const left: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === '' || value === false) continue;
    const setting = SETTINGS[name];
    const wrong = setting ? null : wrongFlag(known, name, value, roots);
    if (setting === 'resolution' && !/^\d+$/.test(square(value))) left.push(`${name} = ${String(value)}`);
    else if (setting) found[setting] = setting === 'resolution' ? square(value) : value;
    else if (wrong === null) flags[name] = value;
    else left.push(`${name} = ${JSON.stringify(value)}`);
  }
  if (found.max_train_epochs) delete found.max_train_steps;
  const notes = `From a configuration file.${left.length > 0 ? ` Left out, for it has no place here:\n${left.join('\n')}` : ''}`;
  return {
    notes,
    ...found,
    ...fields,
    trainer: trainer.id,
    arguments: { ...flags, ...(fields.arguments as Record<string, unknown> | undefined) },
  };
}

/** By name, sections flattened as sd-scripts does (train_util.py:4744). */
function readConfig(config: unknown): Record<string, unknown> {
  if (typeof config !== 'string' || config.length > LARGEST) throw bad('It is larger than 1 MB.');
  const sections = jsonOrNull(config) ?? parseToml(config);
  if (sections === null || typeof sections !== 'object' || Array.isArray(sections)) throw bad('It holds no settings.');
  return Object.fromEntries(
    Object.entries(sections).flatMap(([name, value]) =>
      value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : [[name, value]],
    ),
  );
}

function parseToml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw bad((error as Error).message.split('\n')[0] ?? '');
  }
}

function bad(why: string): Problem {
  return new Problem('bad_fields', `The configuration file cannot be read. ${why}`, { field: 'config' });
}

function familyOf(values: Record<string, unknown>): string {
  const told = values.model_type === 'chroma' ? 'sd-scripts/chroma' : null;
  const byFlag = FAMILY_BY_FLAG.find(([flag]) => values[flag])?.[1];
  const family = told ?? byFlag ?? trainerOfModel(String(values.pretrained_model_name_or_path ?? ''));
  if (family) return family;
  throw new Problem(
    'bad_fields',
    'The configuration file does not tell which family of models it is for: choose one.',
    {
      field: 'trainer',
    },
  );
}

/** "512", 512 and "512,512" are one size. */
function square(value: unknown): string {
  const [width = '', height = width] = [value].flat(2).join(',').split(',');
  return width.trim() === height.trim() ? width.trim() : '';
}

function wrongFlag(
  known: readonly Argument[],
  name: string,
  value: unknown,
  roots: ReturnType<typeof pathRoots>,
): string | null {
  try {
    checkArguments(known, { [name]: value }, roots);
    return null;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.what;
  }
}
