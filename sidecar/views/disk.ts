import type { DiskTrouble } from '../telemetry/diskTrouble.js';
import { plural } from './formatting.js';

/** One paragraph for the folders of each kind of trouble: a full disk is the trouble of many. */
export function troublesWords(troubles: readonly DiskTrouble[]): string[] {
  const codes = [...new Set(troubles.map(({ code }) => code))];
  return codes.flatMap((code) => {
    const [first, ...others] = troubles.filter((each) => each.code === code);
    if (!first) return [];
    const path = others.length > 0 ? `${first.path} and ${plural(others.length, 'more folder')}` : first.path;
    return [troubleWords({ ...first, path, unsaved: [first, ...others].flatMap(({ unsaved }) => unsaved) })];
  });
}

/** What happened, what is not lost, what to do: one paragraph for the banner and the API. */
export function troubleWords({ path, code, unsaved }: DiskTrouble): string {
  const shown = unsaved.slice(0, 4).join(', ') + (unsaved.length > 4 ? ` and ${unsaved.length - 4} more` : '');
  const files = shown ? `Not saved: ${shown}.` : 'New settings, notes and progress are not saved.';
  const [what, remedy] = WORDS[code] ?? [
    `The disk reports an error (${code})`,
    'Check the machine’s disk, and copy your checkpoints to another one.',
  ];
  return `${what}: ${path}. ${files} Trackside leaves trainings running, and what was saved before is safe. ${remedy} Saving then continues by itself.`;
}

const FREE = 'Free some space, for example by deleting sessions or old checkpoints.';
const ALLOW = 'Give the user that runs Trackside permission to write there.';
const WORDS: Record<string, [what: string, remedy: string]> = {
  ENOSPC: ['The disk is full', FREE],
  EDQUOT: ['The disk quota is used up', FREE],
  EROFS: ['The disk is read-only', 'Mount it for writing again.'],
  EACCES: ['Trackside may not write here (EACCES)', ALLOW],
  EPERM: ['Trackside may not write here (EPERM)', ALLOW],
};
