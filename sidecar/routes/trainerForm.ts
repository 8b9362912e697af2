import { within } from '../caught.js';
import { findModels } from '../models/findModels.js';
import type { Problem } from '../problem.js';
import { presetFor } from '../sessions/versions/preset.js';
import type { Trackside } from '../trackside.js';
import { trainers } from '../trainers/catalogue.js';
import { chooseModels, missingModels, modelsFor } from '../trainers/modelNeeds.js';
import { findCheckout } from '../trainers/sdScripts/checkout.js';
import type { OwnForm, Trainer } from '../trainers/trainer.js';
import { bytes } from '../views/formatting.js';
import type { ModelChoice } from '../views/modelField.js';
import type { NewTrainingModel } from '../views/newTraining.js';
import type { TrainerForm } from '../views/trainerForm.js';

/** How long the page waits for a parser that is being asked, in ms; then it is shown with what is known without it. */
const PATIENCE_MS = 400;

type Shown = Pick<NewTrainingModel, 'trainers' | 'trainer' | 'noCheckout' | 'values'>;

/**
 * What can be chosen, and the fields of the chosen trainer; `values` (flat, as typed) with the preset of the GPUs where it runs
 * and the model files that are here where nobody chose.
 */
export async function trainerChoices(trackside: Trackside, values: Record<string, string>): Promise<Shown> {
  const { settings } = trackside;
  const all = trainers(settings);
  const checkout = findCheckout(settings);
  const chosen = all.find(({ id }) => id === values.trainer) ?? all[0];
  return {
    trainers: all.map(({ id, label, models, own }) => ({
      id,
      label,
      group: own ? 'Your scripts' : models ? 'kohya-ss/sd-scripts' : '',
    })),
    noCheckout: 'missing' in checkout ? checkout.missing : null,
    ...(chosen ? await trainerForm(trackside, chosen, values) : { trainer: null, values }),
  };
}

async function trainerForm(
  trackside: Trackside,
  trainer: Trainer,
  typed: Record<string, string>,
): Promise<Pick<Shown, 'trainer' | 'values'>> {
  const { id, label, description } = trainer;
  if (trainer.own) {
    const form = {
      id,
      label,
      description,
      settings: [],
      further: [],
      ...(await ownForm(trainer.script.path, trainer.own)),
    };
    return { trainer: form, values: typed };
  }
  const here = await presetFor(trackside.settings, trainer, typed);
  const value = (name: string) => trainer.settings.find((each) => each.name === name)?.choices ?? [];
  const known = (name: 'base_model' | 'vram') => value(name).some((choice) => choice.value === typed[name]);
  const settings = trainer.settings.map((each) =>
    each.name === 'vram' && here ? { ...each, default: here.vram } : each,
  );
  const start = (name: string) => String(settings.find((each) => each.name === name)?.default ?? '');
  // What another trainer's form or record chose may be none of this one's.
  const values = { ...typed };
  for (const name of ['base_model', 'vram'] as const) if (value(name).length > 0 && !known(name)) delete values[name];
  const base_model = values.base_model ?? start('base_model');
  const vram = values.vram ?? start('vram');
  const models = await modelChoices(trackside, trainer, base_model, values);
  const form: TrainerForm = {
    id,
    label,
    description,
    settings,
    ...(await furtherArguments(trackside, trainer)),
    ...(trainer.given ? { given: trainer.given({ base_model, vram }) } : {}),
    models: models.choices,
    preset: presetNote(trainer, vram, here),
  };
  return { trainer: form, values: { ...models.values, ...values } };
}

/** A script's own parser, or why it is not there; asked on in the background where it takes longer than a page waits. */
async function ownForm(path: string, own: OwnForm): Promise<Pick<TrainerForm, 'own' | 'reading' | 'unread'>> {
  const asked: Promise<Pick<TrainerForm, 'own' | 'reading' | 'unread'>> = own.describe().then(
    (description) => {
      unread.delete(path);
      return { own: description };
    },
    (error: Problem) => {
      unread.set(path, error.message);
      return { own: null, unread: error.message };
    },
  );
  return within(PATIENCE_MS, asked, () => ({ own: null, ...toldBefore(path) }));
}

function presetNote(trainer: Trainer, vram: string, here: Awaited<ReturnType<typeof presetFor>>): string | null {
  const preset = trainer.presets?.find((each) => each.vram === vram);
  return preset && here ? `${here.found} ${preset.why}` : null;
}

/** Why a script could not be asked the last time, by its path: it is asked anew each time, which may take longer than a page waits. */
const unread = new Map<string, string>();

type Arguments = Pick<TrainerForm, 'further' | 'reading' | 'unread'>;

async function furtherArguments(trackside: Trackside, trainer: Trainer): Promise<Arguments> {
  const { path } = trainer.script;
  const asked: Promise<Arguments> = trackside.describe(trainer).then(
    (known) => {
      unread.delete(path);
      return { further: trainer.furtherArguments(known) };
    },
    // A trainer whose parser can't be asked still has its main settings.
    (error: Problem) => {
      unread.set(path, error.message);
      return { further: trainer.furtherArguments(trainer.basics ?? []), unread: error.message };
    },
  );
  const { basics } = trainer;
  if (!basics) return asked;
  return within(PATIENCE_MS, asked, () => ({ further: trainer.furtherArguments(basics), ...toldBefore(path) }));
}

function toldBefore(path: string): Pick<TrainerForm, 'reading' | 'unread'> {
  const before = unread.get(path);
  return before === undefined ? { reading: true } : { unread: before };
}

async function modelChoices(
  trackside: Trackside,
  trainer: Trainer,
  baseModel: string,
  values: Record<string, string>,
): Promise<{ choices: ModelChoice[]; values: Record<string, string> }> {
  if (!trainer.models) return { choices: [], values: {} };
  const found = await findModels(trackside.settings);
  const given = Object.fromEntries(
    trainer.models.flatMap(({ flag }) =>
      values[`arguments.${flag}`] ? [[flag, values[`arguments.${flag}`] ?? '']] : [],
    ),
  );
  const picked = chooseModels(trainer, baseModel, given, found);
  const missing = missingModels(trainer, { ...given, ...picked }, found);
  const choices = trainer.models.map((need) => ({
    ...need,
    files: modelsFor(need, found).map(({ path, name, detail, bytes: size }) => ({
      path,
      label: [name, detail, bytes(size)].filter(Boolean).join(' · '),
    })),
    inside: need.required && !given[need.flag] && !picked[need.flag] && !missing.includes(need),
  }));
  return {
    choices,
    values: Object.fromEntries(Object.entries(picked).map(([flag, path]) => [`arguments.${flag}`, String(path)])),
  };
}

/**
 * What a person typed into the form that was shown before (`shown`: its trainer and base model), without what merely stood
 * there: a learning rate, or a model file, that is right for one must not be carried over to the next.
 */
export function withoutDefaults(trackside: Trackside, fields: Record<string, string>): Record<string, string> {
  const [before, baseModel = ''] = (fields.shown ?? '').split(' ');
  const trainer = trainers(trackside.settings).find(({ id }) => id === before);
  const sameTrainer = before === fields.trainer;
  if (!trainer || (sameTrainer && baseModel === (fields.base_model ?? ''))) return fields;
  const models = new Set(trainer.models?.map(({ flag }) => `arguments.${flag}`));
  const stood = (name: string, value: string) => {
    const setting = trainer.settings.find((each) => each.name === name);
    return !sameTrainer && (name === 'vram' || String(setting?.default) === value);
  };
  const typed = Object.entries(fields).filter(([name, value]) => !models.has(name) && !stood(name, value));
  return Object.fromEntries(typed);
}

/** `{arguments: {network_alpha: 2}}` → `{'arguments.network_alpha': '2'}`; of a list one value a line. */
export function flat(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]): [string, string][] => {
      if (value === null || value === undefined) return [];
      if (typeof value !== 'object') return [[key, String(value)]];
      return Object.entries(value).map(([inner, each]) => [
        `${key}.${inner}`,
        Array.isArray(each) ? each.join('\n') : String(each),
      ]);
    }),
  );
}

/** The other way: `{'arguments.network_alpha': '2'}` → `{arguments: {network_alpha: '2'}}`. */
export function nested(fields: Record<string, string>): Record<string, unknown> {
  const isFlag = ([name]: [string, string]) => name.startsWith('arguments.');
  const all = Object.entries(fields);
  const flags = all.filter(isFlag).map(([name, value]) => [name.slice('arguments.'.length), value]);
  return { ...Object.fromEntries(all.filter((each) => !isFlag(each))), arguments: Object.fromEntries(flags) };
}
