/**
 * Scans the text once, without a regular expression over its strings, which may be megabytes long. `number`: the first one
 * that parsing and writing would change, as a phrase; or null. `values` is about how many it holds.
 */
export function scanJson(json: string): { number: string | null; depth: number; values: number } {
  let number: string | null = null;
  let values = 1;
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at);
    else if (code === COMMA) values += 1;
    else if (code === 0x7b || code === 0x5b) {
      values += 1;
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
    else if (isDigit(code) || code === MINUS) {
      let end = at + 1;
      while (end < json.length && isNumeric(json.charCodeAt(end))) end += 1;
      number ??= spoiled(json.slice(at, end));
      at = end - 1;
    }
  }
  return { number, depth: deepest, values };
}

const QUOTE = 0x22;

const COMMA = 0x2c;

const BACKSLASH = 0x5c;

const MINUS = 0x2d;

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;

/** Digits, and `+ - . E e`. */
const isNumeric = (code: number) =>
  isDigit(code) || code === 0x2b || code === MINUS || code === 0x2e || code === 0x45 || code === 0x65;

function endOfString(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let before = at;
    while (json.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 0) return at;
  }
  return json.length;
}

/**
 * From 2^53 on, a double can't represent every integer. JSON.stringify writes 1e20 as the digits of an integer, 1e999 as
 * null, and 1e-999 as 0.
 */
function spoiled(token: string): string | null {
  if (token.length < 4) return null;
  const value = Number(token);
  if (Number.isNaN(value)) return null;
  const size = Math.abs(value);
  const shown = token.length > 40 ? `${token.slice(0, 40)}…` : token;
  const digitsOnly = /^-?\d+$/.test(token);
  if (size > Number.MAX_SAFE_INTEGER && (digitsOnly || size < 1e21)) return `${shown} is larger than 2^53`;
  if (size === Number.POSITIVE_INFINITY) return `${shown} is larger than a number can be`;
  if (size === 0 && /^-?[0.]*[1-9]/.test(token)) return `${shown} is smaller than a number can be`;
  return null;
}

/** Is a value of JSON an object, with names? */
export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Parses a text as JSON; null for anything else. */
export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // silent: the caller handles null.
    return null;
  }
}
