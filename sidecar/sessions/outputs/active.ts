import { dirname } from 'node:path';
import { readSubsets } from '../../trainers/subsets.js';
import type { SessionFacts } from '../facts.js';
import { isAliveOrPending } from '../status/alive.js';
import { inQueueOrder } from '../status/queued.js';

/** The number of other sessions beside living ones; the list below has the rest. */
const OTHERS = 6;
const OTHERS_ELSEWHERE = 2;
/** Of those that wait in the queue, which has a page of its own. */
const QUEUED = 3;

/**
 * The sessions in the banner of the home page: all living ones; then, newest first, those that wait for a person. `all` is
 * in the order of `outputs.list`.
 */
export function activeSessions(all: readonly SessionFacts[]): SessionFacts[] {
  const newest = newestVersions(all);
  const waiting = all.filter((facts) => !isAliveOrPending(facts) && needsYou(facts, newest));
  const live = liveOnes(all);
  const next = inQueueOrder(live).slice(0, QUEUED);
  const shown = live.filter(({ name, queue }) => !queue || next.some((each) => each.name === name));
  return [...shown, ...waiting.slice(0, OTHERS)];
}

/** The sessions in the banner of other pages: the living and the resumable ones, without the page's own. */
export function activeElsewhere(all: readonly SessionFacts[], without?: string): SessionFacts[] {
  const others = all.filter((facts) => facts.name !== without);
  const waiting = others.filter((facts) => !isAliveOrPending(facts) && facts.next === 'resume');
  return [...liveOnes(others).filter(({ queue }) => !queue), ...waiting.slice(0, OTHERS_ELSEWHERE)];
}

/** The sessions that run, or are about to. */
export function liveOnes(all: readonly SessionFacts[]): SessionFacts[] {
  return all.filter(isAliveOrPending);
}

/** It ended before its end, and nobody has gone on to a newer version. */
function needsYou(facts: SessionFacts, newest: ReadonlyMap<string, number>): boolean {
  if (facts.record === 'unreadable') return true;
  const ended = facts.next === 'resume' || facts.interrupted || facts.status === 'failed';
  return ended && facts.version >= (newest.get(facts.lora_name) ?? 0);
}

function newestVersions(all: readonly SessionFacts[]): Map<string, number> {
  const newest = new Map<string, number>();
  for (const { lora_name: lora, version } of all) newest.set(lora, Math.max(version, newest.get(lora) ?? 0));
  return newest;
}

/** The name of a session that is training on a dataset, as its pictures or as an additional one; or null. */
export function trainsOn(all: readonly SessionFacts[], datasetPath: string): string | null {
  return liveOnes(all).find((facts) => datasetsOf(facts).includes(datasetPath))?.name ?? null;
}

/** Absolute paths of the datasets that a session trains on. */
export function datasetsOf({ dataset_path, settings }: SessionFacts): string[] {
  if (!dataset_path) return [];
  const further = [settings.more_datasets, settings.reg_datasets].flatMap((lines) => {
    const read = readSubsets(typeof lines === 'string' ? lines : '');
    return 'wrong' in read ? [] : read.map(({ name }) => `${dirname(dataset_path)}/${name}`);
  });
  return [dataset_path, ...further];
}
