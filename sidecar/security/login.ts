import { createHmac, randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { openLoggedOut } from './loggedOut.js';
import { createLoginCookies, type LoginCookies } from './loginCookie.js';
import { keptText } from './privateFolder.js';
import { openToken, sameText } from './token.js';
import { createWrongTokens } from './wrongTokens.js';

/** How the one who asks is known. */
export type Known = {
  by: 'token' | 'cookie';
  /** Still so? A login may be ended, or end after its thirty days, while a stream is open. */
  still(): boolean;
  /** Lets a login that is a day old last another thirty. */
  renew(): void;
};

export type Login = {
  /** To be printed; null where it was given. */
  madeToken: string | null;
  /** By the cookie, or the token in the Authorization header. */
  known(c: Context): Known | null;
  /** Sent a token there that is not ours. */
  carriesWrongToken(c: Context): boolean;
  isToken(text: string): boolean;
  /** Notes a wrong token: null, or the seconds after which another one is looked at. */
  wrongToken(): number | null;
  cookies: LoginCookies;
  /** Ends every login of this request, on this browser and for whoever copied it. */
  end(c: Context): Promise<void>;
};

const RENEWED_AFTER_DAYS = 1;

/** One token for everybody who may do everything. `folder` is private. Throws a Problem where the token is weak. */
export function openLogin(given: string, folder: string): Login {
  const token = openToken(given, folder);
  const kept = keptText(folder, 'cookie-key', () => randomBytes(32).toString('base64url'));
  // Another token ends all logins that were had with this one.
  const cookies = createLoginCookies(createHmac('sha256', kept).update(token.text).digest());
  const loggedOut = openLoggedOut(folder);
  const wrong = createWrongTokens();
  const logins = (c: Context) => cookies.read(c).filter(({ id }) => !loggedOut.has(id));
  return {
    madeToken: token.made ? token.text : null,
    known(c) {
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
    carriesWrongToken: (c) => bearer(c) !== '' && !sameText(bearer(c), token.text),
    isToken: (text) => sameText(text.trim(), token.text),
    wrongToken: wrong.another,
    cookies,
    async end(c) {
      cookies.take(c);
      await loggedOut.add(logins(c).map(({ id }) => id));
    },
  };
}

function bearer(c: Context): string {
  return /^bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
}
