import type { SessionFacts } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import type { VersionDetail, VersionFacts } from '../sessions/record/history.js';
import { isAlive } from '../sessions/status/alive.js';
import type { SettingName } from '../trainers/setting.js';
import { setting } from '../trainers/trainingSettings.js';
import { sessionAddress } from './action.js';
import { bytes } from './formatting.js';
import type { PageModel } from './frame.js';

export type HistoryModel = PageModel & { session: SessionFacts; versions: VersionFacts[] };
export type HistoryVersionModel = PageModel & { session: SessionFacts; version: VersionDetail };

export type HistoryView = ReturnType<typeof historyView>;
export type HistoryVersionView = ReturnType<typeof historyVersionView>;

/** The list of versions, newest first. */
export function historyView({ session, versions, root }: HistoryModel) {
  const at = sessionAddress(root, session.name);
  return {
    at,
    name: `${session.lora_name} ${versionName(session)}`,
    rows: versions.map((version) => ({
      href: `${at}/history/${version.version}`,
      saved: version.saved_at,
      size: bytes(version.bytes),
      attempts: version.attempts === null ? '–' : String(version.attempts),
      changed: version.reason ?? (version.changed.map(label).join(', ') || '–'),
      open: version.present ? 'Current' : 'Compare',
    })),
  };
}

/** One version against the present. */
export function historyVersionView({ session, version, root }: HistoryVersionModel) {
  const at = sessionAddress(root, session.name);
  return {
    at,
    name: `${session.lora_name} ${versionName(session)}`,
    saved: version.saved_at,
    /** Why it can't be put back, in words. */
    reason: version.reason,
    changes: version.changes.map(({ field, was, now }) => ({ label: label(field), was: shown(was), now: shown(now) })),
    text: version.text,
    /** Where its form is sent. */
    restore: `${at}/history/${version.version}`,
    /** What putting it back does now, in a sentence. */
    effect: isAlive(session.status)
      ? 'It is running, so only the description and notes are restored.'
      : 'Restores settings, description and notes. The current ones stay in the history.',
  };
}

function shown(value: string | null): string {
  return value === null ? 'not set' : value || 'empty';
}

/** As the form calls it; by its own name where the form has no field for it. */
function label(field: string): string {
  return setting(field as SettingName)?.label ?? field;
}
