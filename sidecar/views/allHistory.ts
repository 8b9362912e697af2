import type { SessionFacts } from '../sessions/facts.js';
import {
  CHOICES,
  COLUMNS,
  type Column,
  type HistoryEntry,
  type HistoryPage,
  type HistoryQuery,
} from '../sessions/outputs/history.js';
import { TRACKED } from '../trainers/tracked/trainer.js';
import { type ActionView, sessionAddress } from './action.js';
import { count, duration, loss, plural } from './formatting.js';
import type { PageModel } from './frame.js';
import { statusView } from './status.js';

export type AllHistoryModel = PageModel & HistoryPage & { query: HistoryQuery };

export type AllHistoryView = ReturnType<typeof allHistoryView>;

/** All sessions as a table of twenty rows, with what it is searched, filtered and sorted by. */
export function allHistoryView(model: AllHistoryModel) {
  const { root, query, entries, total, of, page, pages } = model;
  const address = (change: Record<string, string>) => `${root}history${paramsOf(query, change)}`;
  const filtered = query.q !== '' || query.from !== '' || query.to !== '' || Object.keys(query.chosen).length > 0;
  return {
    action: `${root}history`,
    q: query.q,
    from: query.from,
    to: query.to,
    /** What the form sends along, unseen. */
    kept: query.sort === 'date' && query.descending ? [] : [['sort', query.sort] as const, orderOf(query)],
    choices: CHOICES.map((column) => ({
      name: column,
      label: HEADS[column],
      options: model.choices[column].map((value) => ({
        value,
        label: column === 'status' ? capital(value) : value,
        chosen: query.chosen[column] === value,
      })),
    })),
    filtered,
    all: `${root}history`,
    found: filtered ? `${count(total)} of ${plural(of, 'session')}` : plural(of, 'session'),
    none: of === 0 ? 'Nothing has been trained here yet.' : 'No session matches.',
    heads: COLUMNS.map((column) => headView(column, query, address)),
    rows: entries.map((entry) => rowView(entry, root)),
    pages: pagesView(page, pages, address),
  };
}

const HEADS: Record<Column, string> = {
  date: 'Date',
  lora: 'LoRA',
  version: 'Version',
  trainer: 'Trainer',
  dataset: 'Dataset',
  model: 'Model',
  status: 'Status',
  duration: 'Duration',
  steps: 'Steps',
  final_loss: 'Final loss',
  best_loss: 'Best loss',
};

/** Numbers stand at the right; a column that a phone has no room for goes. */
const NUMERIC: readonly Column[] = ['duration', 'steps', 'final_loss', 'best_loss'];
const ROOMY: readonly Column[] = ['trainer', 'dataset', 'model', 'duration', 'steps', 'best_loss'];

function headView(column: Column, query: HistoryQuery, address: (change: Record<string, string>) => string) {
  const sorted = query.sort === column;
  const order = sorted && !query.descending ? 'desc' : sorted ? 'asc' : column === 'date' ? 'desc' : 'asc';
  return {
    label: HEADS[column],
    look: [NUMERIC.includes(column) && 'n', ROOMY.includes(column) && 'x'].filter(Boolean).join(' '),
    sorted: sorted ? (query.descending ? 'descending' : 'ascending') : null,
    arrow: sorted ? (query.descending ? '↓' : '↑') : '',
    href: address({ sort: column, order, page: '' }),
  };
}

function rowView(entry: HistoryEntry, root: string) {
  const { name, version, trainer, dataset, model, status, interrupted } = entry;
  return {
    date: entry.date,
    lora: entry.lora,
    loraHref: `${root}loras/${encodeURIComponent(entry.key)}`,
    version,
    href: sessionAddress(root, name),
    description: entry.description,
    tags: entry.tags,
    trainer: trainer ?? 'unknown',
    dataset: dataset ?? '–',
    model: model ?? '–',
    status: statusView({ ...PLAIN, status, interrupted }),
    duration: duration(entry.duration),
    steps: count(entry.steps),
    final: loss(entry.final_loss),
    best: loss(entry.best_loss),
    action: actionOf(entry, root),
  };
}

/** Resume for what was interrupted, Relaunch for all else that was trained by the page's means. */
function actionOf(
  { name, lora, version, trainer, status, interrupted, next }: HistoryEntry,
  root: string,
): ActionView | null {
  const at = sessionAddress(root, name);
  const plain = { about: `${lora} ${version}`, go: false, sheet: null, download: false };
  if (interrupted || next === 'resume') {
    const fields: [string, string][] = [
      ['kind', 'resume'],
      ['queue', 'true'],
    ];
    return { ...plain, label: 'Resume', address: `${at}/attempts`, fields, go: true };
  }
  const wasTrained = status === 'completed' || status === 'failed' || status === 'stopped';
  if (!wasTrained || trainer === TRACKED) return null;
  return { ...plain, label: 'Relaunch', address: `${at}/relaunch`, fields: null };
}

/** A status without what only a single session tells. */
const PLAIN = {
  queue: null,
  stopped_by: null,
  record: 'whole',
  stalled_seconds: null,
  by_hand: null,
  progress: { phase: null },
} as const satisfies Partial<Record<keyof SessionFacts, unknown>>;

function pagesView(page: number, pages: number, address: (change: Record<string, string>) => string) {
  if (pages < 2) return null;
  return {
    newer: page > 1 ? address({ page: page === 2 ? '' : String(page - 1) }) : null,
    older: page < pages ? address({ page: String(page + 1) }) : null,
    words: `page ${page} of ${pages}`,
  };
}

/** The address of the same table, changed; what is not said is left out. */
function paramsOf(query: HistoryQuery, change: Record<string, string>): string {
  const { q, from, to, chosen, page } = query;
  const usual = query.sort === 'date' && query.descending;
  const sort: Record<string, string> = usual ? {} : { sort: query.sort, order: orderOf(query)[1] };
  const all: Record<string, string> = {
    q,
    ...chosen,
    from,
    to,
    ...sort,
    page: page > 1 ? String(page) : '',
    ...change,
  };
  if (all.sort === 'date' && all.order === 'desc') delete all.sort;
  if (!all.sort) delete all.order;
  const said = Object.entries(all).filter(([, value]) => value);
  return said.length > 0 ? `?${new URLSearchParams(said)}` : '';
}

function orderOf({ descending }: HistoryQuery): ['order', string] {
  return ['order', descending ? 'desc' : 'asc'];
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
