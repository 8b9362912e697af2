import { Problem } from '../problem.js';
import type { ChannelField } from './channel.js';

const LONGEST = 2000;

/** The value of a channel's field. Throws a Problem that names the field, and repeats nothing that was typed. */
export function checkedField(field: ChannelField, typed: string): string {
  const { name, label, optional, fallback, choices } = field;
  const value = typed === '' ? (fallback ?? '') : typed;
  if (value === '' && optional) return '';
  const wrong = value === '' ? 'is missing' : value.length > LONGEST ? 'is too long' : wrongKind(field, value);
  if (wrong) throw new Problem('bad_notice', `${label} ${wrong}.`, { field: name });
  if (choices && !choices.some((choice) => choice.value === value))
    throw new Problem('bad_notice', `${label} must be one of ${choices.map((choice) => choice.value).join(', ')}.`, {
      field: name,
    });
  return value;
}

function wrongKind({ is }: ChannelField, value: string): string | null {
  if (is !== 'lines' && /[\r\n]/.test(value)) return 'has more than one line';
  if (is === 'address') return isAddress(value) ? null : 'must be an address that begins with https:// or http://';
  // short: at most LONGEST
  if (is === 'email') return /^[^\s@]+@[^\s@]+$/.test(value) ? null : 'must be an e-mail address';
  if (is === 'port') return /^\d{1,5}$/.test(value) && Number(value) <= 65535 ? null : 'must be a number up to 65535';
  return null;
}

/** An address for `post`. */
export function isAddress(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username } = new URL(value);
  return ['http:', 'https:'].includes(protocol) && username === '';
}
