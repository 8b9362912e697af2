import { SHORTEST_SECRET } from './secretVariables.js';

/** Characters of a value that are masked; no form of a value is longer than `REACH` of redact.ts. */
const LONGEST = 1000;
/** Shortest line of a multi-line key that is masked by itself. */
const LONGEST_SHORT_LINE = 16;

/**
 * Lists the byte strings by which a secret may appear in text: as it is, and as written in a URL, in JSON, in HTML, in a
 * shell, in Python, and in base64 (at each of the three byte offsets).
 */
export function formsOf(secret: string): Buffer[] {
  const lines = secret.split(/\r?\n/).filter((line) => line.length >= LONGEST_SHORT_LINE);
  const values = secret.includes('\n') ? lines : [secret];
  // Through bytes, as half a surrogate pair can't be written in a URL.
  const short = values.map((value) => Buffer.from(value.slice(0, LONGEST)).toString());
  const forms = new Set(short.flatMap(written));
  return [...forms].map((form) => Buffer.from(form)).filter(({ length }) => length >= SHORTEST_SECRET);
}

function written(value: string): string[] {
  const address = encodeURIComponent(value);
  const json = JSON.stringify(value).slice(1, -1);
  const html = escaped(value);
  return [
    value,
    address,
    address.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()),
    address.replaceAll('%20', '+'),
    // Everything but letters and digits.
    address.replace(/[!'()*._~-]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`),
    // As in the path of a URL, where `:/@=&+` may stay.
    encodeURI(value),
    json,
    escaped(json),
    html,
    html.replaceAll('&#39;', '&#x27;'),
    value.replaceAll("'", "'\\''"),
    value.replaceAll('\\', '\\\\').replaceAll("'", "\\'"),
    ...inBase64(value),
  ];
}

function escaped(value: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return value.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}

/** The part of the base64 of a surrounding text that depends on the secret alone. */
function inBase64(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor((whole.length * 8) / 6);
    const form = whole.toString('base64').slice(from, to);
    return [form, form.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
