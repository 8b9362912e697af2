import type { MiddlewareHandler } from 'hono';
import { Problem } from '../problem.js';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Only our own pages may change anything, and only under a name that is ours: another site that the owner's browser
 * visits can neither post here nor read here through a rebound name. `allowed` are further host names, lower case,
 * without port. Programs that send neither Origin nor Sec-Fetch-Site (curl, scripts) are not browsers and may.
 */
export function ownOrigin(allowed: readonly string[]): MiddlewareHandler {
  const hosts = new Set([...LOOPBACK, ...allowed]);
  return async (c, next) => {
    const host = c.req.header('host')?.toLowerCase() ?? '';
    const name = host.replace(/:\d+$/, '');
    if (!hosts.has(name)) {
      const message = `This Trackside does not answer to the name ${name || '(none)'}. Add it to TRACKSIDE_ALLOWED_HOSTS if it is yours.`;
      throw new Problem('foreign_host', 403, message);
    }
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
      const site = c.req.header('sec-fetch-site');
      const origin = c.req.header('origin');
      const foreign = site ? site !== 'same-origin' && site !== 'none' : origin !== undefined && !isHost(origin, host);
      if (foreign) throw new Problem('foreign_origin', 403, 'Another site asked for this change; nothing was changed.');
    }
    await next();
  };
}

function isHost(origin: string, host: string): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}
