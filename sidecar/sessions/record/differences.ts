import { z } from 'zod';
import type { RawState } from './uiState.js';

/** Keys that follow the evidence, not a person's edits: never restored; attempts are only added. */
export const EVIDENCE: readonly string[] = [
  'attempts',
  'status',
  'status_found',
  'error',
  'completed_at',
  'timestamp',
  'outputs',
  'results',
  'environment',
  'resume_from_checkpoint',
  'schema_version',
  'version',
  'created_at',
  'form_id',
  'queue',
  'retry_smaller',
  'retried_smaller',
];

/** What a person set and wrote, in one text: equal where only the run has moved on. */
export function editsOf(raw: RawState): string {
  return JSON.stringify(Object.entries(raw).filter(([key]) => !EVIDENCE.includes(key)));
}

/** Without those of the run. */
export function editsAmong(changes: readonly Change[]): Change[] {
  return changes.filter(({ field }) => !EVIDENCE.includes(topOf(field)));
}

/** One field in two versions; null when absent. Values are text, as in the file. */
export const change = z.object({ field: z.string(), was: z.string().nullable(), now: z.string().nullable() });
export type Change = z.infer<typeof change>;

/** The differences of two records by field path: `dataset.repeats`, `attempts[2].reason`. Pure. */
export function changesBetween(then: RawState, now: RawState): Change[] {
  const a = flatten(then);
  const b = flatten(now);
  const counts: [number, number] = [attemptsOf(then).length, attemptsOf(now).length];
  if (counts[0] !== counts[1]) {
    a.set('attempts', count(counts[0]));
    b.set('attempts', count(counts[1]));
  }
  const missing = (field: string) => {
    const number = Number(/^attempts\[(\d+)\]/.exec(field)?.[1] ?? 0);
    return counts[0] !== counts[1] && number > Math.min(...counts);
  };
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((field) => a.get(field) !== b.get(field) && !missing(field))
    .map((field) => ({ field, was: a.get(field) ?? null, now: b.get(field) ?? null }));
}

const count = (attempts: number) => `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;

/** Every value by its path, as text. Lists of plain values are one value; attempts count from 1. */
function flatten(record: RawState): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (path: string, value: unknown): void => {
    if (value === null || typeof value !== 'object') found.set(path, textOf(value));
    else if (Array.isArray(value)) {
      if (value.length > 0 && value.every((each) => each !== null && typeof each === 'object')) {
        for (const [at, each] of value.entries()) walk(`${path}[${at + 1}]`, each);
      } else found.set(path, value.map(textOf).join(' '));
    } else if (Object.keys(value).length === 0) found.set(path, '');
    else for (const [key, each] of Object.entries(value)) walk(path ? `${path}.${key}` : key, each);
  };
  for (const [key, value] of Object.entries(record)) walk(key, value);
  if (attemptsOf(record).length === 0) found.delete('attempts');
  return found;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function topFields(changes: Change[]): string[] {
  return [...new Set(changes.map(({ field }) => topOf(field)))];
}

function topOf(field: string): string {
  return /^[^.[]+/.exec(field)?.[0] ?? field;
}

export function attemptsOf(raw: RawState): unknown[] {
  return Array.isArray(raw.attempts) ? raw.attempts : [];
}
