import { nearestName } from '../nearestName.js';

/** The words of a notice, with `{names}` for what differs. */
export type Wording = { title: string; text: string };

/** The names that a wording may hold. */
export const PLACEHOLDERS = [
  'title',
  'text',
  'session',
  'lora',
  'version',
  'loss',
  'step',
  'total_steps',
  'epoch',
  'duration',
  'reason',
  'cost',
  'page',
] as const;

const NAMES = /\{(\w{1,40})\}/g;

/** What is wrong with a wording, as a sentence; null if nothing is. */
export function wordingProblem({ title, text }: Wording): string | null {
  for (const [, name = ''] of `${title} ${text}`.matchAll(NAMES)) {
    if ((PLACEHOLDERS as readonly string[]).includes(name)) continue;
    const near = nearestName(name, PLACEHOLDERS);
    return `{${name}} is not known here.${near ? ` Did you mean {${near}}?` : ''} There are: ${PLACEHOLDERS.map((each) => `{${each}}`).join(' ')}.`;
  }
  return null;
}

/** Puts the values in. An unknown value is "–"; a line of which nothing is known is left out. Pure. */
export function filled(words: string, values: Partial<Record<string, string>>): string {
  const lines = words.split('\n').flatMap((line) => {
    const names = [...line.matchAll(NAMES)].map(([, name = '']) => name);
    if (names.length > 0 && names.every((name) => !values[name])) return [];
    return [line.replace(NAMES, (_, name: string) => values[name] || '–')];
  });
  return lines.join('\n').trim();
}
