import { basename } from 'node:path';
import { memoByObject } from '../../files/memoByObject.js';
import type { SessionFacts, Status } from '../facts.js';
import { loraKey, versionName } from '../names.js';
import { isAlive } from '../status/alive.js';
import { secondsTrained } from '../status/secondsTrained.js';
import { findSessions } from './search.js';

export const HISTORY_PAGE = 20;

/** A session in the history of all of them: what one searches, filters and sorts by. Null is unknown. */
export type HistoryEntry = {
  name: string;
  /** When it was last started, else made; ISO 8601 in UTC. */
  date: string;
  lora: string;
  /** Of its LoRA's address: `/loras/<key>`. */
  key: string;
  /** Its name, and its number. */
  version: string;
  number: number;
  trainer: string | null;
  dataset: string | null;
  /** Base model: its name, or that of its file. */
  model: string | null;
  status: Status;
  interrupted: boolean;
  /** What makes sense next, as far as the session was looked into. */
  next: SessionFacts['next'];
  /** Seconds trained, over all attempts, until now while it runs. */
  duration: number | null;
  /** Absolute over the attempts. */
  steps: number | null;
  final_loss: number | null;
  best_loss: number | null;
  description: string;
  tags: string[];
};

/** The columns that can be sorted by. */
export const COLUMNS = [
  'date',
  'lora',
  'version',
  'trainer',
  'dataset',
  'model',
  'status',
  'duration',
  'steps',
  'final_loss',
  'best_loss',
] as const;
export type Column = (typeof COLUMNS)[number];

/** The columns of which one value can be chosen. */
export const CHOICES = ['lora', 'trainer', 'dataset', 'model', 'status'] as const;
export type Choice = (typeof CHOICES)[number];

export type HistoryQuery = {
  /** Words that all stand in it, and comparisons: `loss<0.1`, `steps>=500`. */
  q: string;
  chosen: Partial<Record<Choice, string>>;
  /** Days, as 2026-11-30 in UTC: the first and the last. */
  from: string;
  to: string;
  sort: Column;
  descending: boolean;
  /** From 1. */
  page: number;
};

export type HistoryPage = {
  entries: HistoryEntry[];
  /** How many there are on all pages, and without any filter. */
  total: number;
  of: number;
  page: number;
  pages: number;
  /** The values of each column that can be chosen, over all sessions. */
  choices: Record<Choice, string[]>;
};

/** One page of all sessions that a query finds. From memory: no file is read. */
export function findHistory(all: readonly SessionFacts[], query: HistoryQuery, now: Date): HistoryPage {
  const { words, comparisons } = partsOf(query.q);
  const found = findSessions(all, words)
    .map((facts) => entryAt(facts, now))
    .filter((entry) => isChosen(entry, query) && comparisons.every((holds) => holds(entry)));
  const sorted = found.sort((a, b) => compare(a, b, query) || (a.date < b.date ? 1 : -1));
  const pages = Math.max(1, Math.ceil(sorted.length / HISTORY_PAGE));
  const page = Math.min(Math.max(1, query.page), pages);
  return {
    entries: sorted.slice((page - 1) * HISTORY_PAGE, page * HISTORY_PAGE),
    total: sorted.length,
    of: all.length,
    page,
    pages,
    choices: choicesOf(all),
  };
}

/** Of one session; the same object while its facts stay the same. */
export const historyEntry = memoByObject((facts: SessionFacts): HistoryEntry => {
  const { name, lora_name, trainer, dataset_path, status, interrupted, description, tags, results, progress } = facts;
  const begun =
    facts.attempts.at(-1)?.started_at ?? (facts.timestamp && new Date(facts.timestamp * 1000).toISOString());
  const loss = typeof progress.loss === 'number' ? progress.loss : null;
  return {
    name,
    date: begun || facts.created_at,
    lora: lora_name,
    key: loraKey(facts),
    version: versionName(facts),
    number: facts.version,
    trainer,
    dataset: dataset_path && basename(dataset_path),
    model: modelOf(facts),
    status,
    interrupted,
    next: facts.next,
    duration: secondsTrained(facts, LONG_AGO),
    steps: progress.step ?? results?.steps ?? null,
    final_loss: loss ?? results?.final_loss ?? null,
    best_loss: progress.best_loss ?? results?.best_loss ?? null,
    description,
    tags,
  };
});

/** No time passes in an entry that is kept. */
const LONG_AGO = new Date(0);

function entryAt(facts: SessionFacts, now: Date): HistoryEntry {
  const entry = historyEntry(facts);
  return isAlive(facts.status) ? { ...entry, duration: secondsTrained(facts, now) } : entry;
}

/** What it trains on: the model's file, else what its family calls it. */
export function modelOf({ settings }: Pick<SessionFacts, 'settings'>): string | null {
  const flags = (settings.arguments ?? {}) as Record<string, unknown>;
  const file = flags.pretrained_model_name_or_path;
  if (typeof file === 'string' && file.trim()) return basename(file.trim());
  return typeof settings.base_model === 'string' && settings.base_model ? settings.base_model : null;
}

/** A comparison in the search: a column, a sign and a number, with nothing between. */
const COMPARISON = /^(loss|final_loss|best|best_loss|steps|duration|version)(<=|>=|<|>|=)(\d+(?:\.\d+)?(?:e-?\d+)?)$/i;
const NUMBERS: Record<string, 'final_loss' | 'best_loss' | 'steps' | 'duration'> = {
  ...{ loss: 'final_loss', final_loss: 'final_loss', best: 'best_loss', best_loss: 'best_loss' },
  ...{ steps: 'steps', duration: 'duration' },
};

function partsOf(q: string): { words: string; comparisons: ((entry: HistoryEntry) => boolean)[] } {
  const comparisons: ((entry: HistoryEntry) => boolean)[] = [];
  const words: string[] = [];
  for (const word of q.split(/\s+/)) {
    const [, name = '', sign = '', number = ''] = COMPARISON.exec(word.slice(0, 60)) ?? [];
    const column = NUMBERS[name.toLowerCase()];
    if (column) comparisons.push((entry) => holds(entry[column], sign, Number(number)));
    else if (name) comparisons.push((entry) => holds(entry.number, sign, Number(number)));
    else words.push(word);
  }
  return { words: words.join(' '), comparisons };
}

function holds(value: number | null, sign: string, number: number): boolean {
  if (value === null) return false;
  if (sign === '=') return value === number;
  if (sign.startsWith('<')) return value < number || (sign === '<=' && value === number);
  return value > number || (sign === '>=' && value === number);
}

function isChosen(entry: HistoryEntry, { chosen, from, to }: HistoryQuery): boolean {
  if (from && entry.date.slice(0, 10) < from) return false;
  if (to && entry.date.slice(0, 10) > to) return false;
  return CHOICES.every((column) => !chosen[column] || valuesIn(entry, column).includes(chosen[column]));
}

/** An interrupted training is stopped, and more: it can be chosen by its own word, too. */
function valuesIn(entry: HistoryEntry, column: Choice): string[] {
  const value = entry[column];
  return [...(value === null ? [] : [value]), ...(column === 'status' && entry.interrupted ? ['interrupted'] : [])];
}

/** What is unknown comes last, in either direction. */
function compare(a: HistoryEntry, b: HistoryEntry, { sort, descending }: HistoryQuery): number {
  const [x, y] = [a[sort], b[sort]];
  if (x === null || y === null) return Number(x === null) - Number(y === null);
  const order = typeof x === 'number' ? x - (y as number) : inWords.compare(x, String(y));
  return descending ? -order : order;
}

/** V2 before V10. */
const inWords = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

const choicesOf = (all: readonly SessionFacts[]): Record<Choice, string[]> => {
  const found = CHOICES.map((column) => {
    const values = new Set(all.flatMap((facts) => valuesIn(historyEntry(facts), column)));
    return [column, [...values].sort(inWords.compare)] as const;
  });
  return Object.fromEntries(found) as Record<Choice, string[]>;
};
