import { missingSubset } from '../../datasets/subsets.js';
import { findModels } from '../../models/findModels.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import { type ArgumentValue, checkArguments } from '../../trainers/arguments.js';
import type { Describe } from '../../trainers/describe.js';
import { whyNotDrawn } from '../../trainers/flagPolicy.js';
import { chooseModels, missingModels } from '../../trainers/modelNeeds.js';
import { pathRoots } from '../../trainers/pathRoots.js';
import { readValues } from '../../trainers/script/values.js';
import type { TrainingSettings } from '../../trainers/setting.js';
import { readSubsets } from '../../trainers/subsets.js';
import type { OwnForm, Trainer } from '../../trainers/trainer.js';
import { readTrainingSettings } from '../../trainers/trainingSettings.js';
import { presetFor } from './preset.js';

/** The facts that a form is checked against. */
export type Checks = { settings: Settings; describe: Describe };

/** The errors of a form: one sentence per field, and the list of all sentences. */
export type Wrong = { fields: Record<string, string>; words: string[] };

export function addWrong(wrong: Wrong, fields: Record<string, string>): void {
  Object.assign(wrong.fields, fields);
  wrong.words.push(...Object.values(fields));
}

/** Rethrows errors that are not Problems. */
export function addProblem(wrong: Wrong, error: unknown): void {
  if (!(error instanceof Problem)) throw error;
  Object.assign(wrong.fields, error.fields ?? { [error.field ?? 'form']: error.ahead });
  wrong.words.push(error.ahead);
}

/** A script with a form of its own has no settings of ours. */
export type NoSettings = { [name in keyof TrainingSettings]?: undefined };

export type TrainerFields = {
  settings: TrainingSettings | NoSettings;
  arguments: Record<string, ArgumentValue>;
};

/**
 * Checks a trainer's settings and further flags from a form or a JSON body; the preset defaults to that of the GPUs where it
 * runs, model files to this machine's. Throws a Problem with one sentence per field.
 *
 * @param start a draft may lack model files; a start may not
 */
export async function readTrainerFields(
  checks: Checks,
  trainer: Trainer,
  fields: Record<string, unknown>,
  start: boolean,
): Promise<TrainerFields> {
  if (trainer.own)
    return { settings: {}, arguments: await readOwn(checks.settings, trainer, trainer.own, fields, start) };
  const wrong: Wrong = { fields: {}, words: [] };
  const vram = fields.vram || (await presetFor(checks.settings, trainer, fields))?.vram;
  const settings = collect(wrong, () => readTrainingSettings(trainer.settings, { ...fields, vram }));
  const given = (fields.arguments ?? {}) as Record<string, unknown>;
  const asked = Object.values(given).some((value) => value !== '');
  const known = asked ? trainer.furtherArguments(await checks.describe(trainer)) : [];
  const roots = pathRoots(checks.settings, trainer);
  const own = collect(wrong, () => checkArguments(known, given, roots));
  const undrawn = settings && whyNotDrawn(settings.sample_prompts, roots);
  if (undrawn) addWrong(wrong, { sample_prompts: undrawn });
  if (settings && own) {
    Object.assign(own, switchedOff(trainer, settings, given));
    if (trainer.models) {
      const found = await findModels(checks.settings);
      Object.assign(own, chooseModels(trainer, settings.base_model, own, found));
      for (const { flag, label } of start ? missingModels(trainer, own, found) : []) {
        const words = `${label} is missing: choose a file, or download one on the Models page.`;
        addWrong(wrong, { [`arguments.${flag}`]: words });
      }
    }
    addWrong(wrong, trainer.conflicts?.(settings, own) ?? {});
    addWrong(wrong, await wrongSubsets(checks.settings.datasets, settings));
  }
  if (wrong.words.length > 0 || !settings || !own) {
    throw new Problem('bad_fields', wrong.words.join(' '), { fields: wrong.fields });
  }
  return { settings, arguments: own };
}

/** The values of a script's own form; before a start, its parser reads them too. */
async function readOwn(
  settings: Settings,
  trainer: Trainer,
  own: OwnForm,
  fields: Record<string, unknown>,
  start: boolean,
): Promise<Record<string, ArgumentValue>> {
  const description = await own.describe();
  const given = (fields.arguments ?? {}) as Record<string, unknown>;
  const values = readValues(description, given, pathRoots(settings, trainer), start);
  if (start) await own.check(description, values);
  return values;
}

/** Finds missing additional datasets: one sentence per field. */
async function wrongSubsets(datasets: string, settings: TrainingSettings): Promise<Record<string, string>> {
  const wrong: Record<string, string> = {};
  for (const field of ['more_datasets', 'reg_datasets'] as const) {
    const read = readSubsets(settings[field]);
    if ('wrong' in read) wrong[field] = read.wrong;
    else {
      const missing = await missingSubset(datasets, read);
      if (missing) wrong[field] = missing;
    }
  }
  return wrong;
}

/** Flags of the preset that the person switched off. */
function switchedOff(
  trainer: Trainer,
  settings: TrainingSettings,
  given: Record<string, unknown>,
): Record<string, false> {
  const preset = trainer.given?.(settings) ?? {};
  const off = Object.entries(given).filter(
    ([name, value]) => name in preset && (value === false || (value === 'false' && preset[name] === true)),
  );
  return Object.fromEntries(off.map(([name]) => [name, false]));
}

function collect<T>(wrong: Wrong, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    addProblem(wrong, error);
    return null;
  }
}
