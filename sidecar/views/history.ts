import type { SessionFacts } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import { editsAmong } from '../sessions/record/differences.js';
import type { Moment, VersionDetail, VersionFacts } from '../sessions/record/history.js';
import { isAlive } from '../sessions/status/alive.js';
import type { SettingName } from '../trainers/setting.js';
import { setting } from '../trainers/trainingSettings.js';
import { sessionAddress } from './action.js';
import { sentence } from './formatting.js';
import type { PageModel } from './frame.js';

export type HistoryModel = PageModel & { session: SessionFacts; versions: VersionFacts[] };
export type HistoryVersionModel = PageModel & { session: SessionFacts; version: VersionDetail };

export type HistoryView = ReturnType<typeof historyView>;
export type HistoryVersionView = ReturnType<typeof historyVersionView>;

/** The list of copies, newest first, each with what came of the session until then. */
export function historyView({ session, versions, root }: HistoryModel) {
  const at = sessionAddress(root, session.name);
  return {
    at,
    name: `${session.lora_name} ${versionName(session)}`,
    rows: versions.map((version) => ({
      href: `${at}/history/${version.version}`,
      saved: version.saved_at,
      said: version.reason === null ? sentences(version.about) : [`It can't be read: ${version.reason}.`],
      open: version.present ? 'Current' : 'Compare',
    })),
  };
}

/** The settings and words of one copy against the present ones. */
export function historyVersionView({ session, version, root }: HistoryVersionModel) {
  const at = sessionAddress(root, session.name);
  return {
    at,
    name: `${session.lora_name} ${versionName(session)}`,
    saved: version.saved_at,
    /** Why it can't be put back, in words. */
    reason: version.reason,
    changes: editsAmong(version.changes).map(({ field, was, now }) => ({
      label: label(field),
      was: shown(was),
      now: shown(now),
    })),
    /** The file as it was saved. */
    file: `${at}/history/${version.version}/ui_state.json`,
    /** Where its form is sent. */
    restore: `${at}/history/${version.version}`,
    /** What putting it back does now, in a sentence. */
    effect: isAlive(session.status)
      ? 'It is running, so only the description and notes are restored.'
      : 'Restores settings, description and notes. The current ones stay in the history.',
  };
}

/** What came of the session, in the order in which a reader asks: who ran what, how it went, and what was changed. */
function sentences({ first, began, status, reason, edits }: Moment): string[] {
  if (first) return ['The oldest copy that is kept.'];
  const said = [...(began ? [beginning(began)] : []), ...(status ? ending(status, reason) : []), ...edits.map(edit)];
  if (said.length === 0) return ['Trackside recorded how the run was going.'];
  return said.length > MOST_SAID ? [...said.slice(0, MOST_SAID), `And ${said.length - MOST_SAID} more.`] : said;
}

const MOST_SAID = 4;

function beginning({ kind, automatic, first_epoch: epoch }: NonNullable<Moment['began']>): string {
  const itself = automatic ? ' automatically' : '';
  if (kind === 'resume') return `Resumed${itself} at epoch ${epoch}.`;
  return kind === 'start' ? `Started${itself}.` : `Started over${itself}.`;
}

/** Of what goes without saying after a start, nothing. */
function ending(status: string, reason: string | null): string[] {
  if (['pending', 'starting', 'running', 'draft'].includes(status)) return [];
  if (status === 'stopping') return ['Stop was pressed.'];
  if (status === 'stopped' && reason) return [sentence(reason)];
  const word = `${status.charAt(0).toUpperCase()}${status.slice(1)}`;
  return [status === 'failed' && reason ? `${word}: ${sentence(reason)}` : `${word}.`];
}

function edit({ field, was, now }: Moment['edits'][number]): string {
  const name = label(field);
  const what = name.charAt(0).toUpperCase() + name.slice(1);
  const isShort = [was, now].every((each) => (each ?? '').length <= 40 && !each?.includes('\n'));
  if (!isShort || field === 'description' || field === 'notes') return `${what}: changed.`;
  return `${what}: ${shown(was)} → ${shown(now)}.`;
}

function shown(value: string | null): string {
  return value === null ? 'not set' : value || 'empty';
}

/** As the form calls it; by its own name where the form has no field for it. */
function label(field: string): string {
  return setting(field as SettingName)?.label ?? MARKED[field] ?? field;
}

/** What is said of a version on other pages. */
const MARKED: Record<string, string> = {
  best_sample: 'best sample',
  version_name: 'name of the version',
  marked_best: 'best version',
};
