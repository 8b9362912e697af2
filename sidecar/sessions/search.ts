import type { SessionFacts } from './facts.js';

export const PAGE_SIZE = 50;

export type SearchResult = { sessions: SessionFacts[]; total: number; query: string; page: number; pages: number };

/** The sessions in which every word of the query occurs: in name, dataset, trainer, status, notes or trigger word. */
export function searchSessions(all: readonly SessionFacts[], query: string, page: number): SearchResult {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length === 0 ? all : all.filter((facts) => words.every((word) => textOf(facts).includes(word)));
  const pages = Math.max(1, Math.ceil(found.length / PAGE_SIZE));
  const shown = Math.min(Math.max(1, page), pages);
  return {
    sessions: found.slice((shown - 1) * PAGE_SIZE, shown * PAGE_SIZE),
    total: found.length,
    query,
    page: shown,
    pages,
  };
}

function textOf(facts: SessionFacts): string {
  const { name, lora_name, trainer, status, description, notes, dataset_path, version, settings } = facts;
  return [name, lora_name, `v${version}`, trainer, status, description, notes, dataset_path, settings.concept_sentence]
    .join('\n')
    .toLowerCase();
}
