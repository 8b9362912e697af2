import type { Context, MiddlewareHandler } from 'hono';
import { Problem } from '../problem.js';
import { isLoopback, nameOf } from './hosts.js';

/** Answers only under names that are ours: another site's name that leads here (rebinding) shows and does nothing. */
export function ownHost(isOurs: (name: string) => boolean): MiddlewareHandler {
  return async (c, next) => {
    const name = nameOf(c.req.header('host'));
    if (!isOurs(name)) {
      const message = `This Trackside does not answer to the name ${name || '(none)'}. Add it to TRACKSIDE_ALLOWED_HOSTS if it is yours.`;
      throw new Problem('foreign_host', message);
    }
    await next();
  };
}

/** Where nobody is asked to log in, only this machine is answered: what a proxy passed on comes from elsewhere. */
export function notPassedOn(isSafe: (name: string) => boolean): MiddlewareHandler {
  return async (c, next) => {
    const name = nameOf(c.req.header('host'));
    if (PASSED_ON.some((header) => c.req.header(header) !== undefined) && (isLoopback(name) || !isSafe(name))) {
      const message =
        'Trackside was started with --no-login, for this machine only, and a proxy passed this on. Start it without --no-login; or name the host that the proxy serves in TRACKSIDE_ALLOWED_HOSTS, if the proxy asks for a login itself.';
      throw new Problem('passed_on', message);
    }
    await next();
  };
}

const PASSED_ON = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'cf-ray',
];

/**
 * Only our own pages may change anything, whatever the content type: another site that the owner's browser visits can't
 * post here, nor a neighbour under the same domain or address. Programs (curl, scripts) say nothing about an origin
 * and may, with the token; a cookie comes from a browser, and every browser says it. Other sites' pages may link here, and
 * load nothing into themselves.
 */
export function ownOrigin(): MiddlewareHandler {
  return async (c, next) => {
    const from = pageOf(c);
    const reads = c.req.method === 'GET' || c.req.method === 'HEAD';
    if (!reads && (from === 'foreign' || (from === 'unknown' && c.get('known')?.by === 'cookie'))) {
      const message =
        'Another site asked for this change: it was not made. If it was this page: a proxy on the way changes the Host header; let it pass on the one that the browser sends.';
      throw new Problem('foreign_origin', message);
    }
    if (reads && from === 'foreign' && c.req.header('sec-fetch-mode') !== 'navigate') {
      throw new Problem('foreign_origin', 'Another site may link here, but not read from here.');
    }
    await next();
  };
}

/** Whose page asked. No page can set either header; browsers send the first to https and their own machine only. */
function pageOf(c: Context): 'ours' | 'foreign' | 'unknown' {
  const site = c.req.header('sec-fetch-site');
  const origin = c.req.header('origin');
  if (site !== undefined) return site === 'same-origin' || site === 'none' ? 'ours' : 'foreign';
  if (origin === undefined) return 'unknown';
  return isOurs(origin, c) ? 'ours' : 'foreign';
}

function isOurs(origin: string, c: Context): boolean {
  try {
    const { host, protocol } = new URL(origin);
    const forwarded = c.req.header('x-forwarded-proto')?.split(',')[0]?.trim().toLowerCase();
    if (forwarded === 'https' && protocol !== 'https:') return false;
    // As the browser writes it: without the port that the protocol has anyway.
    return host === new URL(`${protocol}//${c.req.header('host')}`).host;
  } catch {
    // silent: what is no address is not ours.
    return false;
  }
}
