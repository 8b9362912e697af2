import type { Context } from 'hono';

/** Does the request want a page (a browser), or facts (everything else)? */
export function wantsPage(c: Context): boolean {
  const accept = c.req.header('accept') ?? '';
  return accept.includes('text/html') || (c.req.path === '/' && !accept.includes('application/json'));
}

/** The relative path from this request's address to the site's root: '', '../', '../../'. Works behind any prefix. */
export function rootOf(c: Context): string {
  return '../'.repeat(Math.max(0, c.req.path.split('/').length - 2));
}

/** The page of this site whose form was posted, as a path; null where the browser does not tell it. */
export function formPage(c: Context): string | null {
  const referer = c.req.header('referer') ?? '';
  if (c.req.method === 'GET' || !URL.canParse(referer)) return null;
  const { host, pathname, search } = new URL(referer);
  // With one slash: two would lead to another host.
  return host === c.req.header('host') ? `/${pathname.replace(/^\/+/, '')}${search}` : null;
}
