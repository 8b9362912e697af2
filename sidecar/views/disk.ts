import type { DiskTrouble } from '../telemetry/diskTrouble.js';

/** What happened, what is not lost, what to do: one paragraph for the banner and the API. */
export function troubleWords({ path, code, unsaved }: DiskTrouble): string {
  const shown = unsaved.slice(0, 4).join(', ') + (unsaved.length > 4 ? ` and ${unsaved.length - 4} more` : '');
  const files = shown ? `Not saved: ${shown}.` : 'New settings, notes and progress are not saved.';
  return `${what(code)}: ${path}. ${files} Trackside leaves trainings running, and what was saved before is safe. ${remedy(code)} Saving then continues by itself.`;
}

function what(code: string): string {
  switch (code) {
    case 'ENOSPC':
      return 'The disk is full';
    case 'EDQUOT':
      return 'The disk quota is used up';
    case 'EROFS':
      return 'The disk is read-only';
    case 'EACCES':
    case 'EPERM':
      return `Trackside may not write here (${code})`;
    default:
      return `The disk reports an error (${code})`;
  }
}

function remedy(code: string): string {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'Free some space, for example by deleting sessions or old checkpoints.';
    case 'EROFS':
      return 'Mount it for writing again.';
    case 'EACCES':
    case 'EPERM':
      return 'Give the user that runs Trackside the right to write there.';
    default:
      return 'Look at the machine’s disk, and copy your checkpoints to another one.';
  }
}
