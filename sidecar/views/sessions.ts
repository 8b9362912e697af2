import { basename } from 'node:path';
import type { SessionFacts } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import { isChangeable } from '../sessions/status/queued.js';
import { secondsTrained } from '../sessions/status/secondsTrained.js';
import { rowAction, sampleAddress, sessionAddress } from './action.js';
import { count, duration, elementId, loss } from './formatting.js';
import { statusView } from './status.js';

export type SessionsTableModel = {
  root: string;
  now: Date;
  /** The rows of this page, newest first. */
  sessions: SessionFacts[];
  /** The active sessions, where they stand above the list. */
  cards: SessionFacts[];
  /** How many sessions the query finds, over all pages. */
  total: number;
  query: string;
  /** From 1. */
  page: number;
  pages: number;
};

export type SessionsView = ReturnType<typeof sessionsView>;

/** The table of all sessions, one page of it. */
export function sessionsView(model: SessionsTableModel) {
  const { root, query, page, pages } = model;
  const address = (number: number) => {
    const params = new URLSearchParams({ ...(query && { q: query }), ...(number > 1 && { page: String(number) }) });
    return `${root || './'}${params.size ? `?${params}` : ''}#all`;
  };
  const newer = page > 1 ? address(page - 1) : null;
  const older = page < pages ? address(page + 1) : null;
  const { sessions } = model;
  return {
    title: query ? `Found for “${query}”` : model.cards.length > 0 ? 'All other sessions' : 'All sessions',
    rows: sessions.map((session, at) => rowView(session, sessions[at - 1], root, model.now)),
    /** Is there no session at all, above the list neither? */
    isFirstTime: !query && sessions.length + model.cards.length === 0,
    total: count(model.total),
    query,
    /** Addresses of the neighbouring pages, null where there is none; null on a single page. */
    pages: pages > 1 ? { newer, older, words: `page ${page} of ${pages}` } : null,
  };
}

function rowView(session: SessionFacts, above: SessionFacts | undefined, root: string, now: Date) {
  const { progress } = session;
  const isWhole = session.status === 'completed' && (progress.percent ?? 100) >= 100;
  const over = isWhole || progress.epoch === null || progress.epochs === null;
  const isDraft = isChangeable(session);
  return {
    id: elementId('row', session.name),
    /** A further version of the LoRA above it. */
    further: above?.lora_name === session.lora_name,
    thumbnail: thumbnail(session, root),
    name: session.name,
    lora: session.lora_name,
    version: versionName(session),
    href: sessionAddress(root, session.name),
    status: statusView(session),
    reason: session.status === 'failed' || session.record === 'unreadable' ? session.reason : null,
    description: session.description,
    trainer: session.trainer ?? 'unknown',
    dataset: session.dataset_path ? basename(session.dataset_path) : '–',
    epochs: isDraft ? '' : over ? count(progress.epochs) : `${count(progress.epoch)} of ${count(progress.epochs)}`,
    /** Said on a phone, where the table has no head. */
    unit: progress.epochs === 1 ? 'epoch' : 'epochs',
    loss: isDraft ? '' : loss(progress.loss),
    took: isDraft ? '' : duration(secondsTrained(session, now)),
    started: session.timestamp,
    action: rowAction(session, root, 'home'),
  };
}

/** The address of the newest sample, small; null without one. */
export function thumbnail({ name, newest_sample: sample }: SessionFacts, root: string): string | null {
  return sample ? `${sampleAddress(sessionAddress(root, name), sample)}?size=thumb` : null;
}
