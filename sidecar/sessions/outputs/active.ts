import { dirname } from 'node:path';
import { readSubsets } from '../../trainers/subsets.js';
import type { SessionFacts } from '../facts.js';

const LIVE = ['starting', 'running', 'stopping', 'pending'];
/** The number of other sessions beside living ones: the banner is for those that need attention, the list for all. */
const OTHERS = 8;
const OTHERS_ELSEWHERE = 2;
const FRESH_MS = 24 * 3600_000;

/**
 * The sessions in the banner of the home page: all living ones; then, newest first, those that can be resumed or
 * failed, drafts, and those completed in the last day. `all` is in the order of `outputs.list`.
 */
export function activeSessions(all: readonly SessionFacts[], now: Date): SessionFacts[] {
  const waiting = all.filter((facts) => !LIVE.includes(facts.status) && wantsAttention(facts, now));
  return [...liveOnes(all), ...waiting.slice(0, OTHERS)];
}

/** The sessions in the banner of other pages: the living and the resumable ones, without the page's own. */
export function activeElsewhere(all: readonly SessionFacts[], without?: string): SessionFacts[] {
  const others = all.filter((facts) => facts.name !== without);
  const waiting = others.filter((facts) => !LIVE.includes(facts.status) && facts.next === 'resume');
  return [...liveOnes(others), ...waiting.slice(0, OTHERS_ELSEWHERE)];
}

/** The sessions that run, or are about to. */
export function liveOnes(all: readonly SessionFacts[]): SessionFacts[] {
  return all.filter((facts) => LIVE.includes(facts.status));
}

function wantsAttention(facts: SessionFacts, now: Date): boolean {
  if (facts.record === 'unreadable') return true;
  if (facts.status === 'completed') return now.getTime() - Date.parse(facts.completed_at ?? '') < FRESH_MS;
  return facts.attempts.length > 0 || facts.status === 'draft' || facts.interrupted;
}

/** The name of a session that is training on a dataset, as its pictures or as an additional one; or null. */
export function trainsOn(all: readonly SessionFacts[], datasetPath: string): string | null {
  return liveOnes(all).find((facts) => datasetsOf(facts).includes(datasetPath))?.name ?? null;
}

function datasetsOf({ dataset_path, settings }: SessionFacts): string[] {
  if (!dataset_path) return [];
  const further = [settings.more_datasets, settings.reg_datasets].flatMap((lines) => {
    const read = readSubsets(typeof lines === 'string' ? lines : '');
    return 'wrong' in read ? [] : read.map(({ name }) => `${dirname(dataset_path)}/${name}`);
  });
  return [dataset_path, ...further];
}
