import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { Problem } from '../problem.js';
import { keptText } from './privateFolder.js';

const MADE_BYTES = 32;
const SHORTEST = 16;
const FEWEST_DIFFERENT = 8;

export type Token = {
  text: string;
  /** Made by us, 256 bits; else set by the user, who knows it. */
  made: boolean;
};

/** The given token, or the one in `folder`, made if missing. Throws a Problem for one that is easy to guess. */
export function openToken(given: string, folder: string): Token {
  if (given) return { text: strong(given, 'TRACKSIDE_TOKEN'), made: false };
  const kept = keptText(folder, 'token', () => randomBytes(MADE_BYTES).toString('base64url'));
  return { text: strong(kept, join(folder, 'token')), made: true };
}

/** Compares in constant time. */
export function sameText(given: string, right: string): boolean {
  return timingSafeEqual(digest(given), digest(right));
}

/** Refuses tokens that endless guessing could find. The message never contains the token. */
function strong(token: string, where: string): string {
  const weak =
    token.length < SHORTEST
      ? `has ${token.length} characters`
      : new Set(token).size < FEWEST_DIFFERENT
        ? 'repeats a few characters'
        : /^[\x21-\x7e]+$/.test(token)
          ? null
          : 'contains a space or a character outside plain ASCII';
  if (!weak) return token;
  throw new Problem(
    'weak_token',
    `the token in ${where} ${weak}. It needs ${SHORTEST} or more letters, digits and signs. \`openssl rand -base64 24\` prints a good one; if you set none, Trackside makes one.`,
  );
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
