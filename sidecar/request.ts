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
