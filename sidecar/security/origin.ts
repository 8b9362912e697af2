import type { Context, MiddlewareHandler } from 'hono';
import { Problem } from '../problem.js';
import { isLoopback, nameOf } from './hosts.js';

/** Answers only under our own names: another site's name that leads here (rebinding) shows and does nothing. */
export function ownHost(isOurs: (name: string) => boolean): MiddlewareHandler {
  return async (c, next) => {
    const name = nameOf(c.req.header('host'));
    if (!isOurs(name)) {
      const message = `This Trackside does not answer to the name ${name || '(none)'}. If it is yours, add it to TRACKSIDE_ALLOWED_HOSTS.`;
      throw new Problem('foreign_host', message);
    }
    await next();
  };
}

/** Without a login, answers this machine only: a request through a proxy comes from elsewhere. */
export function notPassedOn(isSafe: (name: string) => boolean): MiddlewareHandler {
  return async (c, next) => {
    const name = nameOf(c.req.header('host'));
    if (PASSED_ON.some((header) => c.req.header(header) !== undefined) && (isLoopback(name) || !isSafe(name))) {
      const message =
        'Trackside was started with --no-login, which answers this machine only, and this request came through a proxy. Start it without --no-login. If the proxy has a login of its own, add its host name to TRACKSIDE_ALLOWED_HOSTS instead.';
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
 * Lets only our own pages change anything, with any content type: another site in the owner's browser can't post here, nor
 * a neighbour under the same domain or address. Programs (curl, scripts) send no origin and may, with the token; a cookie
 * comes from a browser, and every browser sends one. Other sites may link here, but embed nothing from here.
 */
export function ownOrigin(): MiddlewareHandler {
  return async (c, next) => {
    const from = pageOf(c);
    const reads = c.req.method === 'GET' || c.req.method === 'HEAD';
    if (!reads && (from === 'foreign' || (from === 'unknown' && c.get('known')?.by === 'cookie'))) {
      const message =
        'Another site asked for this change, so it was not made. If you did it on this page, a proxy changes the Host header: configure it to pass on the browser’s.';
      throw new Problem('foreign_origin', message);
    }
    if (reads && from === 'foreign' && c.req.header('sec-fetch-mode') !== 'navigate') {
      throw new Problem('foreign_origin', 'Another site may link to this page, but not read it.');
    }
    await next();
  };
}

/** The page behind a request. No page can set either header; browsers send the first only over https and to their own machine. */
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
    // As the browser writes it, without the protocol's default port.
    return host === new URL(`${protocol}//${c.req.header('host')}`).host;
  } catch {
    // silent: an invalid address is not ours.
    return false;
  }
}
