import { basename } from 'node:path';
import { ifMissing } from '../../caught.js';
import { inDataset } from '../../datasets/folder.js';
import { datasetFacts } from '../../datasets/list.js';
import { Problem } from '../../problem.js';
import { holdsSecret } from '../../security/redact.js';
import type { Settings } from '../../settings.js';
import { type Argument, type ArgumentValue, checkArguments } from '../../trainers/arguments.js';
import { whyNoFlag } from '../../trainers/flagPolicy.js';
import { lastPart, type Said } from '../../trainers/foreign/said.js';
import type { SettingName } from '../../trainers/setting.js';
import { settingValue } from '../../trainers/settingValue.js';
import type { Trainer } from '../../trainers/trainer.js';

/** A value that a draft has from a file: `field` as in the form, `from` as the file calls it. */
export type Taken = { field: string; value: unknown; from: string };
/** A value that it has not, with the reason in words; null where it must not be shown. */
export type NotTaken = { from: string; value: unknown; why: string };

export type TakenSaid = {
  fields: Record<string, unknown>;
  arguments: Record<string, ArgumentValue>;
  taken: Taken[];
  not_taken: NotTaken[];
};

/** What a trainer is, for one reading. */
export type Taking = {
  settings: Settings;
  trainer: Trainer;
  /** The flags that its arguments may have. */
  known: readonly Argument[];
  /** The flags of its preset here. */
  given: Record<string, ArgumentValue>;
  /** Also what this machine would do anyway: the values go on to another one. */
  keepUsual: boolean;
};

/** Settings of the form by sd-scripts' names. */
const SETTINGS: Record<string, SettingName | 'lora_name' | 'max_train_steps'> = {
  ...{ save_state: 'enable_checkpointing', max_data_loader_n_workers: 'workers', output_name: 'lora_name' },
  ...{ prompts: 'sample_prompts', max_train_steps: 'max_train_steps' },
};

/** Checks each value that a file says by itself, so that one that has no place stops no other. No path and no secret is taken. */
export async function takeSaid(taking: Taking, said: readonly Said[]): Promise<TakenSaid> {
  const found: TakenSaid = { fields: {}, arguments: {}, taken: [], not_taken: [] };
  for (const each of said) {
    const { from, value } = each;
    if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) continue;
    const why = secretWords(each) ?? each.why ?? (await takeOne(taking, each, found));
    if (why === null) continue;
    if (value === false) continue;
    found.not_taken.push({ from: shown(from), value: secretWords(each) ? null : brief(value), why });
  }
  if (found.fields.max_train_epochs) delete found.fields.max_train_steps;
  return found;
}

function secretWords({ from, name, value }: Said): string | null {
  const isNamed = /(?:token|api_?key|password|secret)$/i.test(name ?? from) && typeof value === 'string';
  const isHeld = [value, from].flat().some((each) => typeof each === 'string' && holdsSecret(each));
  return isNamed || isHeld ? 'It is a token or a password, or looks like one: save it on the Secrets page.' : null;
}

/** Null when it was taken, or else why not. */
async function takeOne(taking: Taking, { from, name, value }: Said, found: TakenSaid): Promise<string | null> {
  const { trainer } = taking;
  if (name === null) return 'Trackside has no setting for it.';
  if (name === 'dataset') return takeDataset(taking, from, value, found);
  if (name === 'pretrained_model_name_or_path') return takeModel(taking, from, value, found);
  const field = SETTINGS[name] ?? name;
  const setting = trainer.settings.find((each) => each.name === field);
  if (setting || field === 'lora_name' || field === 'max_train_steps') {
    const kept = field === 'sample_prompts' && name !== 'prompts' ? 'It is a file of another machine.' : null;
    if (kept) return kept;
    const parsed = setting ? settingValue(setting).safeParse(value) : { success: true as const, data: lastPart(value) };
    if (!parsed.success) return `${setting?.label ?? field}: ${parsed.error.issues[0]?.message ?? 'not understood'}`;
    found.fields[field] = parsed.data;
    found.taken.push({ field, value: parsed.data, from });
    return null;
  }
  return takeFlag(taking, from, name, value, found);
}

function takeFlag(
  { trainer, known, given, keepUsual }: Taking,
  from: string,
  name: string,
  value: unknown,
  found: TakenSaid,
) {
  if (trainer.models?.some(({ flag }) => flag === name)) return 'A model file of another machine: choose the one here.';
  if (name in IN_DATASET) return IN_DATASET[name] ?? null;
  const argument = known.find((each) => each.name === name);
  const own = withCase(argument, value);
  const field = `arguments.${name}`;
  // What a preset of ours would switch on stays off.
  if (own === false) {
    if (given[name] === true || (keepUsual && argument)) found.arguments[name] = false;
    if (argument) found.taken.push({ field, value: false, from });
    return null;
  }
  const refused = whyNoFlag(name);
  if (refused) return refused;
  if ([own].flat().some((each) => /[/\\]/.test(String(each)))) return 'It is a path of another machine.';
  try {
    const checked = checkArguments(known, { [name]: own });
    // A default of the parser that no preset changes says nothing.
    const isUsual = !keepUsual && !(name in given) && String(checked[name]) === String(argument?.default);
    if (!isUsual) Object.assign(found.arguments, checked);
    found.taken.push({ field, value: checked[name] ?? own, from });
    return null;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.what;
  }
}

/** dataset.toml has them, which Trackside writes. */
const IN_DATASET: Record<string, string> = Object.fromEntries(
  [
    'enable_bucket',
    'min_bucket_reso',
    'max_bucket_reso',
    'bucket_reso_steps',
    'bucket_no_upscale',
    'caption_extension',
  ].map((name) => [name, 'Trackside sorts pictures by size, and reads .txt captions, by itself.']),
);

/** "adamw8bit" is AdamW8bit for sd-scripts. */
function withCase(argument: Argument | undefined, value: unknown): unknown {
  const same = argument?.choices?.find((choice) => String(choice).toLowerCase() === String(value).toLowerCase());
  return same ?? value;
}

async function takeDataset({ settings }: Taking, from: string, value: unknown, found: TakenSaid) {
  const name = lastPart(value);
  const facts = await inDataset(settings.datasets, name, datasetFacts).catch((error: unknown) => {
    if (error instanceof Problem) return null;
    return ifMissing(null)(error);
  });
  if (!facts) return 'There is no dataset of that name here: choose one in the form.';
  found.fields.dataset = name;
  found.taken.push({ field: 'dataset', value: name, from });
  return null;
}

/** The base model by the name of its file; the file itself is of another machine. */
function takeModel({ trainer }: Taking, from: string, value: unknown, found: TakenSaid): string | null {
  const words = lastPart(value).toLowerCase();
  const choices = trainer.settings.find(({ name }) => name === 'base_model')?.choices ?? [];
  const tail = (model: string) => model.split(/[-.]/).at(-1) ?? model;
  const model =
    choices.find(({ value: each }) => words.includes(each)) ??
    choices.find(({ value: each }) => words.includes(tail(each)));
  if (!model) return 'A model file of another machine: choose the one here.';
  found.fields.base_model = model.value;
  found.taken.push({ field: 'base_model', value: model.value, from });
  return null;
}

function brief(value: unknown): unknown {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return shown(text).length < text.length ? shown(text) : value;
}

function shown(text: string): string {
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

/** A name for the LoRA where the file says none. */
export function nameOfFile(file: string): string {
  return basename(file).replace(/\.[^.]*$/, '');
}
