import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { overHttps } from '../security/loginCookie.js';

/**
 * When a browser looked last, in a cookie of its own: `<last look>.<end of the visit before>`, milliseconds since 1970. The
 * page's script moves the first while it is looked at (telling.js); without one, each loading of the home page does.
 */
const AWAY_MS = 60_000;
const KEPT_SECONDS = 30 * 86_400;

/** The cookie's name. Cookies don't distinguish ports: each outputs folder has its own. */
export function lookCookie(outputs: string): string {
  return `trackside-looked-${createHash('sha256').update(outputs).digest('hex').slice(0, 8)}`;
}

/** When this browser's visit before this one ended; null for its first. Reloading is the same visit. */
export function lastLook(c: Context, outputs: string): Date | null {
  const now = Date.now();
  const [last = now, before] = (/^(\d{13})\.(\d{13})$/.exec(getCookie(c, lookCookie(outputs)) ?? '') ?? [])
    .slice(1)
    .map((each) => Math.min(Number(each), now));
  const since = now - last > AWAY_MS ? last : before;
  keep(c, outputs, now, since ?? now);
  return since === undefined ? null : new Date(since);
}

/** Everything until now counts as seen. */
export function forgetLook(c: Context, outputs: string): void {
  const now = Date.now();
  keep(c, outputs, now, now);
}

function keep(c: Context, outputs: string, now: number, since: number): void {
  const options = { path: '/', maxAge: KEPT_SECONDS, sameSite: 'Strict', secure: overHttps(c) } as const;
  setCookie(c, lookCookie(outputs), `${now}.${since}`, options);
}
