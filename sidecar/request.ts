import type { Context } from 'hono';

/** Does the asker want a page (a browser), or facts (everything else)? */
export function wantsPage(c: Context): boolean {
  const accept = c.req.header('accept') ?? '';
  return accept.includes('text/html') || (c.req.path === '/' && !accept.includes('application/json'));
}

/** From the address of this request back to the root of the site: '', '../', '../../'. Works behind any prefix. */
export function rootOf(c: Context): string {
  return '../'.repeat(Math.max(0, c.req.path.split('/').length - 2));
}
