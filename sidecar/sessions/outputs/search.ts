import { memoByObject } from '../../files/memoByObject.js';
import type { SessionFacts } from '../facts.js';

export const PAGE_SIZE = 50;

export type SearchResult = { sessions: SessionFacts[]; total: number; query: string; page: number; pages: number };

/** One page of the results of `findSessions`, the versions of a LoRA together. */
export function searchSessions(all: readonly SessionFacts[], query: string, page: number): SearchResult {
  const found = versionsTogether(findSessions(all, query));
  const pages = Math.max(1, Math.ceil(found.length / PAGE_SIZE));
  const shown = Math.min(Math.max(1, page), pages);
  const sessions = found.slice((shown - 1) * PAGE_SIZE, shown * PAGE_SIZE);
  return { sessions, total: found.length, query, page: shown, pages };
}

/** In the order of their newest sessions. */
function versionsTogether(sessions: readonly SessionFacts[]): SessionFacts[] {
  const loras = new Map<string, SessionFacts[]>();
  for (const facts of sessions) {
    const versions = loras.get(facts.lora_name);
    if (versions) versions.push(facts);
    else loras.set(facts.lora_name, [facts]);
  }
  return [...loras.values()].flat();
}

/** The sessions that contain every word of the query in name, dataset, trainer, status, notes or trigger word. */
export function findSessions(all: readonly SessionFacts[], query: string): readonly SessionFacts[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return all;
  return all.filter((facts) => words.every((word) => textOf(facts).includes(word)));
}

/** Facts are replaced, never changed, so their texts are made once and not for every typed letter. */
const textOf = memoByObject((facts: SessionFacts): string => {
  const { name, lora_name, trainer, status, description, notes, dataset_path, version, settings } = facts;
  const told = [name, lora_name, `v${version}`, trainer, status, description, notes, dataset_path];
  return [...told, settings.concept_sentence].join('\n').toLowerCase();
});
