import type { Context } from 'hono';

/** Query parameters of a login, which are gone once it is there. */
const PASSING = ['token', 'login'];

/** What was asked for, relative to the root of the site and without what belongs to a login: `sessions/cat?tail=5`. */
export function askedPath(c: Context): string {
  const url = new URL(c.req.url);
  for (const name of PASSING) url.searchParams.delete(name);
  return ownPath(url.pathname.replace(/^\/+/, '') + url.search);
}

/** A path of this site, relative to its root; '' for anything that could lead elsewhere. */
export function ownPath(given: unknown): string {
  if (typeof given !== 'string' || given.length > 2000) return '';
  const base = 'http://own.invalid';
  let url: URL;
  try {
    url = new URL(given, `${base}/`);
  } catch {
    // silent: what is no address leads nowhere.
    return '';
  }
  return url.origin === base ? url.pathname.replace(/^\/+/, '') + url.search : '';
}
