import type { DiskTrouble } from '../telemetry/diskTrouble.js';

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
