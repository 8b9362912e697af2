import type { Purged, PurgeItem, PurgePlan } from '../../sessions/retention/facts.js';
import { bytes, plural } from '../../views/formatting.js';
import { type Door, factsOf } from './door.js';
import { EXIT, Refusal } from './exitCodes.js';
import { plain, print, table } from './terminal.js';

export type PurgeFlags = { json?: boolean; days?: string; dryRun?: boolean };

/** Removes what a cleanup removes, of one session or of all; with `--dry-run` it only says what that is. */
export async function purge(door: Door, session: string, { json, days, dryRun }: PurgeFlags): Promise<void> {
  if (days !== undefined && !/^\d+$/.test(days))
    throw new Refusal(EXIT.usage, `--days is “${days}”, but it must be a whole number.`);
  const asked = { ...(days === undefined ? {} : { days }), ...(session ? { session } : {}) };
  const done = dryRun
    ? await factsOf<PurgePlan>(door, 'GET', `purge?${new URLSearchParams(asked)}`)
    : await factsOf<Purged>(door, 'POST', 'purge', asked);
  print(done, json, () => {
    const list = done.items.length > 0 ? `${table(['KIND', 'SIZE', 'PATH', 'WHY'], done.items.map(row), [1])}\n` : '';
    const what = `${plural(done.items.length, 'thing')}, ${bytes(done.bytes)}`;
    return `${list}${dryRun ? 'Would remove' : 'Removed'} ${what}.`;
  });
  if (json || !('skipped' in done)) return;
  if (done.entry) process.stdout.write(`It is in .cleaned/${done.entry} in the outputs folder, and can be put back.\n`);
  for (const { path, reason } of done.skipped) process.stderr.write(`Left: ${plain(path)}: ${plain(reason)}\n`);
}

function row({ kind, bytes: size, path, files, reason }: PurgeItem): string[] {
  return [kind, bytes(size), files.length > 0 ? `${path} (${plural(files.length, 'file')})` : path, reason];
}
