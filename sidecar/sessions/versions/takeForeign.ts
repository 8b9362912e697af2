import { badField, Problem } from '../../problem.js';
import type { Argument } from '../../trainers/arguments.js';
import { findTrainer, trainers } from '../../trainers/catalogue.js';
import { type ForeignFile, ForeignFileError } from '../../trainers/foreign/said.js';
import { trainerOfModel } from '../../trainers/recordTrainer.js';
import type { Trainer } from '../../trainers/trainer.js';
import { presetFor } from './preset.js';
import { type TakenSaid, takeSaid } from './takeSaid.js';
import type { Checks } from './trainerFields.js';

export type FoundForeign = TakenSaid & {
  trainer: string;
  /** Labels of settings of which the file says nothing. */
  not_said: string[];
};

/** What a file says. Throws a Problem for the field `field` where it cannot be read. */
export async function readOrRefuse(
  read: () => ForeignFile | Promise<ForeignFile>,
  field: string,
): Promise<ForeignFile> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ForeignFileError)) throw error;
    throw badField(field, `The file can't be read. ${error.message}`);
  }
}

/** Which values of a file its trainer here can take. Throws a Problem where the file does not tell the trainer. */
export async function takeForeign(
  checks: Checks,
  file: ForeignFile,
  asked: string | undefined,
  { keepUsual = false } = {},
): Promise<FoundForeign> {
  const trainer = findTrainer(checks.settings, asked || trainerOf(checks, file));
  if (trainer.own) throw badField('trainer', 'Choose a trainer with settings of Trackside: a script has its own.');
  const known = trainer.furtherArguments(await describedOr(checks, trainer));
  const vram =
    (await presetFor(checks.settings, trainer, {}))?.vram ??
    String(trainer.settings.find(({ name }) => name === 'vram')?.default);
  const base = trainer.settings.find(({ name }) => name === 'base_model')?.default;
  const given = trainer.given?.({ base_model: String(base), vram }) ?? {};
  const taken = await takeSaid({ settings: checks.settings, trainer, known, given, keepUsual }, file.said);
  const fields = new Set(taken.taken.map(({ field }) => field));
  const not_said = trainer.settings.filter(({ name }) => !fields.has(name)).map(({ label }) => label);
  return { ...taken, trainer: trainer.id, not_said };
}

/** The trainer that a file is for. Throws a Problem where it does not tell. */
function trainerOf({ settings }: Checks, { trainer, said, anyTrainer }: ForeignFile): string {
  if (trainer) return trainer;
  const model = said.find(({ name }) => name === 'pretrained_model_name_or_path')?.value;
  const family = trainerOfModel(String(model ?? '').replaceAll('\\', '/')) ?? (anyTrainer && trainers(settings)[0]?.id);
  if (family) return family;
  throw badField('trainer', 'The file does not say which family of models it is for: choose the trainer.');
}

/** Without a parser that answers, the flags that people change most are known. */
async function describedOr({ describe }: Checks, trainer: Trainer): Promise<readonly Argument[]> {
  try {
    return await describe(trainer);
  } catch (error) {
    if (!(error instanceof Problem) || !trainer.basics) throw error;
    return trainer.basics;
  }
}

/** Moves what a Problem names to what was not taken. False where nothing that was taken is named. */
export function leaveOut(found: FoundForeign, { fields = {} }: Problem): boolean {
  const named = found.taken.filter(({ field }) => field in fields);
  for (const { field, value, from } of named) {
    const flag = /^arguments\.(.+)$/.exec(field)?.[1];
    if (flag !== undefined) delete found.arguments[flag];
    else delete found.fields[field];
    found.not_taken.push({ from, value, why: fields[field] ?? '' });
  }
  found.taken = found.taken.filter((each) => !named.includes(each));
  return named.length > 0;
}

/** What a draft's notes say of the file that it was made of: nothing of it is dropped in silence. */
export function notesOf(file: string, { kind }: ForeignFile, { not_taken, not_said }: FoundForeign): string {
  const left = not_taken.map(
    ({ from, value, why }) => `${from}${value === null ? '' : ` = ${JSON.stringify(value)}`}: ${why}`,
  );
  return [
    `From ${file}, ${kind}.`,
    ...(left.length > 0 ? ['', 'Not taken:', ...left] : []),
    ...(not_said.length > 0
      ? ['', `It says nothing of these, which have their defaults: ${not_said.join(', ')}.`]
      : []),
  ].join('\n');
}
