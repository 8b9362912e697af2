import { basename } from 'node:path';
import type { Session } from '../../status/session.js';
import type { ComparedSetting } from './facts.js';

/** Says nothing of how a session trains: its name, its state to resume from, and who starts it again. */
const NOT_COMPARED = new Set(['lora_name', 'resume_from_checkpoint', 'enable_monitoring', 'retry_smaller']);

/**
 * The settings of sessions, by their names in ui_state.json (`arguments.<flag>`, `dataset.<fact>`): what differs from the
 * baseline's first, each part in the order of the records. Pure.
 *
 * @param baseline index of the session that the others are held against
 */
export function compareSettings(sessions: readonly Session[], baseline: number): ComparedSetting[] {
  const all = sessions.map(valuesOf);
  const names = [...new Set(all.flatMap((values) => [...values.keys()]))];
  const rows = names.map((name) => {
    const values = all.map((each) => each.get(name) ?? null);
    return { name, values, differs: values.some((value) => !isSameValue(value, values[baseline])) };
  });
  return [...rows.filter(({ differs }) => differs), ...rows.filter(({ differs }) => !differs)];
}

/** What a session is trained with and on; an empty value is none. */
function valuesOf({ facts, state }: Session): Map<string, unknown> {
  const { arguments: flags, ...settings } = facts.settings;
  const { path, images, captions, fingerprint } = state?.dataset ?? {};
  const named: [string, unknown][] = [
    ['trainer', facts.trainer],
    ['dataset', path ? basename(path) : null],
    ['dataset.images', images],
    ['dataset.captions', captions],
    ['dataset.fingerprint', fingerprint],
    ...Object.entries(settings),
    ...Object.entries(flags ?? {}).map(([flag, value]): [string, unknown] => [`arguments.${flag}`, value]),
  ];
  return new Map(named.filter(([name, value]) => !NOT_COMPARED.has(name) && value != null && value !== ''));
}

/** 0.0008 and "8e-4" are the same value. */
export function isSameValue(one: unknown, other: unknown): boolean {
  return textOf(one) === textOf(other);
}

function textOf(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.trim() !== '' && Number.isFinite(Number(text)) ? String(Number(text)) : text;
}
