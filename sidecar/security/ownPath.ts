import type { Context } from 'hono';

/** Query parameters that belong to a login only. */
const PASSING = ['token', 'login'];

/** The requested path, relative to the site's root and without the parameters of a login: `sessions/cat?tail=5`. */
export function askedPath(c: Context): string {
  const url = new URL(c.req.url);
  for (const name of PASSING) url.searchParams.delete(name);
  return ownPath(url.pathname.replace(/^\/+/, '') + url.search);
}

/** A path of this site, relative to its root; '' for a path that could lead elsewhere. */
export function ownPath(given: unknown): string {
  if (typeof given !== 'string' || given.length > 2000) return '';
  const base = 'http://own.invalid';
  let url: URL;
  try {
    url = new URL(given, `${base}/`);
  } catch {
    // silent: an invalid address leads nowhere.
    return '';
  }
  return url.origin === base ? url.pathname.replace(/^\/+/, '') + url.search : '';
}
