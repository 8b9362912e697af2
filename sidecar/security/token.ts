import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { Problem } from '../problem.js';
import { keptText } from './privateFolder.js';

const MADE_BYTES = 32;
const SHORTEST = 16;
const FEWEST_DIFFERENT = 8;

export type Token = {
  text: string;
  /** By us: 256 bits. Else it was given, and whoever gave it knows it. */
  made: boolean;
};

/** The token that was given, or the one in `folder`, which is made first. Throws a Problem for one that is guessed easily. */
export function openToken(given: string, folder: string): Token {
  if (given) return { text: strong(given, 'TRACKSIDE_TOKEN'), made: false };
  const kept = keptText(folder, 'token', () => randomBytes(MADE_BYTES).toString('base64url'));
  return { text: strong(kept, join(folder, 'token')), made: true };
}

/** In a time that tells nothing about how much of it is right. */
export function sameText(given: string, right: string): boolean {
  return timingSafeEqual(digest(given), digest(right));
}

/** Nobody is kept from trying for ever: what is tried has to be hopeless. The token itself is never part of the message. */
function strong(token: string, where: string): string {
  const weak =
    token.length < SHORTEST
      ? `has ${token.length} characters`
      : new Set(token).size < FEWEST_DIFFERENT
        ? 'repeats a few characters'
        : /^[\x21-\x7e]+$/.test(token)
          ? null
          : 'has a space or a letter that a header cannot carry';
  if (!weak) return token;
  throw new Problem(
    'weak_token',
    `the token in ${where} ${weak}; it needs ${SHORTEST} or more letters, digits and signs. \`openssl rand -base64 24\` prints a good one; without any, Trackside makes one.`,
  );
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
