import { createHmac, randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { openLoggedOut } from './loggedOut.js';
import { createLoginCookies } from './loginCookie.js';
import { keptText } from './privateFolder.js';
import { openToken, sameText } from './token.js';
import { createWrongTokens } from './wrongTokens.js';

/** A sender with the token or a login. */
export type Known = {
  by: 'token' | 'cookie';
  /** Still valid? A login may be ended, or expire after thirty days, while a stream is open. */
  still(): boolean;
  /** Extends a login that is a day old by another thirty days. */
  renew(): void;
};

export type Login = ReturnType<typeof openLogin>;

const RENEWED_AFTER_DAYS = 1;

/** Checks one token that allows everything. `folder` is private. Throws a Problem for a weak token. */
export function openLogin(given: string, folder: string) {
  const token = openToken(given, folder);
  const kept = keptText(folder, 'cookie-key', () => randomBytes(32).toString('base64url'));
  // A new token ends all logins made with the old one.
  const key = createHmac('sha256', kept).update(token.text).digest();
  const cookies = createLoginCookies(key);
  const loggedOut = openLoggedOut(folder);
  const wrong = createWrongTokens();
  const logins = (c: Context) => cookies.read(c).filter(({ id }) => !loggedOut.has(id));
  return {
    /** The token to print; null if the user set it. */
    madeToken: token.made ? token.text : null,
    /** Recognises a sender by the cookie, or by the token in the Authorization header. */
    known(c: Context): Known | null {
      const [found] = logins(c);
      if (found) {
        return {
          by: 'cookie',
          still: () => logins(c).some(({ id }) => id === found.id),
          renew: () => found.ageDays > RENEWED_AFTER_DAYS && cookies.give(c, found.id),
        };
      }
      return sameText(bearer(c), token.text) ? { by: 'token', still: () => true, renew: () => {} } : null;
    },
    /** Does the header carry a wrong token? */
    carriesWrongToken: (c: Context) => bearer(c) !== '' && !sameText(bearer(c), token.text),
    isToken: (text: string) => sameText(text.trim(), token.text),
    /** Counts a wrong token: null, or the seconds until the next one is checked. */
    wrongToken: wrong.another,
    cookies,
    /** Our signature of a text, which a new token changes. */
    sign: (text: string) => createHmac('sha256', key).update(text).digest('base64url'),
    /** Ends every login of this request, in this browser and in copies. */
    async end(c: Context) {
      cookies.take(c);
      await loggedOut.add(logins(c).map(({ id }) => id));
    },
  };
}

function bearer(c: Context): string {
  return /^bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
}
