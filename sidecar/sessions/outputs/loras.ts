import { Problem } from '../../problem.js';
import { slug } from '../../slug.js';
import type { SessionFacts } from '../facts.js';
import { loraKey, versionName } from '../names.js';

/** A LoRA: the sessions of one name, each of them a version of it. */
export type Lora = {
  /** Of its address: `/loras/<key>`. */
  key: string;
  /** As its newest version is called. */
  name: string;
  /** The newest version's, from which a new one begins. */
  trigger_word: string;
  /** Newest first, by their numbers. */
  versions: SessionFacts[];
};

/** All LoRAs, those that were trained last first. */
export function lorasOf(all: readonly SessionFacts[]): Lora[] {
  const found = new Map<string, SessionFacts[]>();
  for (const facts of all) {
    const key = loraKey(facts);
    const versions = found.get(key);
    if (versions) versions.push(facts);
    else found.set(key, [facts]);
  }
  return [...found].map(([key, versions]) => loraOf(key, versions));
}

/** One LoRA, by its key or its name. Throws a Problem if there is none. */
export function findLora(all: readonly SessionFacts[], name: string): Lora {
  const lora = loraCalled(all, name);
  if (lora) return lora;
  throw new Problem('no_lora', `There is no LoRA called ${name} here.`, { about: 'sessions' });
}

/** The same; null if there is none. */
export function loraCalled(all: readonly SessionFacts[], name: string): Lora | null {
  const key = slug(name) || name;
  const versions = all.filter((facts) => loraKey(facts) === key || loraKey(facts) === name);
  return versions[0] ? loraOf(loraKey(versions[0]), versions) : null;
}

function loraOf(key: string, sessions: readonly SessionFacts[]): Lora {
  const versions = sessions.toSorted((a, b) => b.version - a.version || (a.name < b.name ? 1 : -1));
  const [newest] = versions as [SessionFacts];
  const trigger = versions.find(({ settings }) => settings.concept_sentence)?.settings.concept_sentence;
  return { key, name: newest.lora_name, trigger_word: String(trigger ?? ''), versions };
}

/** The version of that name, number or session; null for none of them. */
export function findVersion({ versions }: Lora, asked: string): SessionFacts | null {
  const of = (same: (facts: SessionFacts) => boolean) => versions.find(same);
  return (
    of(({ name }) => name === asked) ??
    of((facts) => versionName(facts) === asked) ??
    of(({ version }) => `V${version}` === asked.toUpperCase() || String(version) === asked) ??
    null
  );
}
