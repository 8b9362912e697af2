import { argumentField, type FieldView, type Typed } from './field.js';
import type { TrainerForm } from './trainerForm.js';

/** `open` groups stand on the page, the others wait behind a summary. */
export type FlagGroup = { title: string; open: boolean; fields: FieldView[] };

/** Null where there is none. */
export function flagsView(trainer: TrainerForm, typed: Typed) {
  const groups = flagGroups(trainer, typed);
  const flags = groups.flatMap((group) => group.fields);
  if (flags.length === 0) return null;
  return {
    count: new Set(flags.map(({ name }) => name)).size,
    open: flags.some(({ value, error }) => value !== '' || error !== null),
    /** Why its own list could not be read. */
    unread: trainer.unread ?? null,
    /** It is being read. */
    reading: trainer.reading ?? false,
    groups,
  };
}

/** From so many on, groups are folded: a page of two hundred fields is none to read. */
const MANY = 40;

/** Further flags by group. What a preset gives or a person changed stands first, where it can be seen at a glance. */
function flagGroups(trainer: TrainerForm, typed: Typed): FlagGroup[] {
  const models = new Set(trainer.models?.map(({ flag }) => flag));
  const groups = new Map<string, FieldView[]>();
  const set: FieldView[] = [];
  for (const argument of trainer.further) {
    if (models.has(argument.name)) continue;
    const field = argumentField(argument, trainer.given?.[argument.name], typed);
    if (trainer.given && field.differs) set.push(field);
    else groups.set(argument.group ?? '', [...(groups.get(argument.group ?? '') ?? []), field]);
  }
  const open = trainer.further.length < MANY;
  const rest = [...groups].map(([title, fields]) => ({
    title,
    open: open || fields.some(({ value, error }) => value !== '' || error !== null),
    fields,
  }));
  return set.length > 0 ? [{ title: 'Set by the preset or by you', open: true, fields: set }, ...rest] : rest;
}
