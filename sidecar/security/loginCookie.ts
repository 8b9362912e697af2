import { createHmac, randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { isLoopback, nameOf } from './hosts.js';
import { sameText } from './token.js';

const DAY_MS = 86_400_000;
const LASTS_DAYS = 30;

/**
 * Keeps logins in the browser alone: `<id>.<when>.<signature>`, valid as long as `key`, over any number of restarts. A login
 * counts for thirty days before and after its time, so that a clock that jumps by a day ends none. The name contains a
 * fingerprint of the key: cookies don't distinguish ports, and two sidecars behind one name keep their own.
 */
export function createLoginCookies(key: Buffer, now: () => number = Date.now) {
  const sign = (text: string) => createHmac('sha256', key).update(text).digest('base64url');
  const plain = `trackside-${createHmac('sha256', key).update('name').digest('hex').slice(0, 8)}`;
  const names = [`__Host-${plain}`, plain];
  const set = (c: Context, https: boolean, value: string, seconds: number) => {
    const [name, secure] = https ? [names[0], '; Secure'] : [plain, ''];
    const cookie = `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
    c.header('Set-Cookie', cookie, { append: true });
  };
  const values = (c: Context) => {
    const pairs = (c.req.header('cookie') ?? '').split(';').map((pair) => pair.trim().split('='));
    return pairs.flatMap(([name, value]) => (name && value && names.includes(name) ? [value] : []));
  };
  return {
    /** A new login, or the one with this id for another thirty days. */
    give(c: Context, id: string = randomBytes(16).toString('base64url')) {
      const text = `${id}.${Math.floor(now() / 1000)}`;
      set(c, overHttps(c), `${text}.${sign(text)}`, LASTS_DAYS * (DAY_MS / 1000));
    },
    /** Makes the browser forget its logins over https and over plain http. */
    take(c: Context) {
      for (const https of [true, false]) set(c, https, '', 0);
    },
    // Other sites of the same domain can add cookies of this name, but can't sign them.
    /** The valid logins in the request. `ageDays` is negative if a clock was set back. */
    read: (c: Context): { id: string; ageDays: number }[] =>
      values(c).flatMap((value) => {
        const [text, id, when, signature] = /^(([\w-]{22})\.(\d{1,12}))\.([\w-]{43})$/.exec(value)?.slice(1) ?? [];
        if (!text || !id || !signature || !sameText(signature, sign(text))) return [];
        const ageDays = (now() - Number(when) * 1000) / DAY_MS;
        return Math.abs(ageDays) < LASTS_DAYS ? [{ id, ageDays }] : [];
      }),
    /** Does the request carry a login, valid or not? */
    carried: (c: Context) => values(c).length > 0,
  };
}

/**
 * Did the browser use https? TLS ends at a proxy, which says so (RunPod's and most do) in a header that anybody may send: a
 * liar gets a cookie that their own browser drops. And browsers send `Sec-Fetch-Site` only over https and to their own
 * machine (https://www.w3.org/TR/fetch-metadata/).
 */
export function overHttps(c: Context): boolean {
  const forwarded = c.req.header('x-forwarded-proto')?.split(',')[0]?.trim().toLowerCase();
  const secure = c.req.header('sec-fetch-site') !== undefined && !isLoopback(nameOf(c.req.header('host')));
  return forwarded === 'https' || secure;
}
