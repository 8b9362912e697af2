import { refuseUnknown } from '../nearestName.js';
import { Problem } from '../problem.js';
import { isAddress } from './checkField.js';
import { KINDS } from './notice.js';
import type { NoticeSettings } from './noticeSettings.js';

type Changes = Partial<Omit<NoticeSettings, 'since' | 'channels'>>;

/**
 * The changes that a form or a program asks for, by flat names: `tell_<kind>`, `wording_<kind>_title` and `_text`,
 * `quiet_from`, `quiet_to`, `quiet_zone`, `quiet_urgent`, `disk_gb`, `page`, `ping_url`, `ping_minutes`. What is not named
 * stays. Throws a Problem for an unknown name or a wrong value.
 */
export function readNoticeChanges(fields: Record<string, unknown>, now: NoticeSettings): Changes {
  refuseUnknown(fields, NAMES);
  const text = (name: string) => (fields[name] === undefined ? undefined : String(fields[name] ?? '').trim());
  const is = (name: string) => name in fields;
  const changes: Changes = {};
  if (KINDS.some((kind) => is(`tell_${kind}`)))
    changes.silent = KINDS.filter((kind) => {
      const told = text(`tell_${kind}`);
      return told === undefined ? now.silent.includes(kind) : told !== 'true';
    });
  if (NAMES.some((name) => name.startsWith('quiet_') && is(name))) changes.quiet = quietOf(text, now.quiet);
  if (is('disk_gb')) changes.disk_gb = numberOf(text('disk_gb') ?? '', 'disk_gb');
  if (is('page')) changes.page = addressOf(text('page') ?? '', 'page');
  if (is('ping_url') || is('ping_minutes')) changes.ping = pingOf(text, now.ping);
  const wording = { ...now.wording };
  for (const kind of KINDS) {
    const [title, words] = [text(`wording_${kind}_title`), text(`wording_${kind}_text`)];
    if (title === undefined && words === undefined) continue;
    const next = { title: title ?? wording[kind]?.title ?? '', text: words ?? wording[kind]?.text ?? '' };
    if (next.title || next.text) wording[kind] = next;
    else delete wording[kind];
    changes.wording = wording;
  }
  return changes;
}

const NAMES = [
  ...KINDS.flatMap((kind) => [`tell_${kind}`, `wording_${kind}_title`, `wording_${kind}_text`]),
  ...['quiet_from', 'quiet_to', 'quiet_zone', 'quiet_urgent', 'disk_gb', 'page', 'ping_url', 'ping_minutes'],
];

type Text = (name: string) => string | undefined;

/** Without a beginning and an end there are no quiet hours. */
function quietOf(text: Text, now: NoticeSettings['quiet']): NoticeSettings['quiet'] {
  const from = text('quiet_from') ?? now?.from ?? '';
  const to = text('quiet_to') ?? now?.to ?? '';
  if (from === '' && to === '') return null;
  const urgent = text('quiet_urgent');
  return {
    from,
    to,
    zone: text('quiet_zone') || now?.zone || 'UTC',
    urgent: urgent ? urgent === 'true' : (now?.urgent ?? true),
  };
}

/** An empty address keeps the one that is there, and zero minutes end the pings. */
function pingOf(text: Text, now: NoticeSettings['ping']): NoticeSettings['ping'] {
  const minutes = numberOf(text('ping_minutes') ?? String(now?.minutes ?? 5), 'ping_minutes');
  if (minutes === 0) return null;
  const url = addressOf(text('ping_url') || now?.url || '', 'ping_url');
  return url === '' ? null : { url, minutes };
}

function addressOf(value: string, field: string): string {
  if (value === '' || isAddress(value)) return value;
  throw new Problem('bad_notice', 'Enter an address that begins with https:// or http://.', { field });
}

function numberOf(value: string, field: string): number {
  const number = Number(value.replace(',', '.'));
  if (value === '' || !Number.isFinite(number) || number < 0)
    throw new Problem('bad_notice', 'Enter a number.', { field });
  return number;
}
