import type { Context, Handler, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { rootOf, wantsPage } from '../request.js';
import type { Known, Login } from './login.js';
import { askedPath } from './ownPath.js';

declare module 'hono' {
  interface ContextVariableMap {
    /** The sender; unset without a login, and on routes that are open to all. */
    known: Known;
  }
}

/**
 * Draws the login form. `back`: where to go afterwards; `wrong`: the message refuses what was entered; `again`: the same address,
 * to be requested again at once.
 */
export type LoginPage = (shown: {
  root: string;
  back: string;
  message: string | null;
  wrong: boolean;
  again: string | null;
}) => string;

const open = new WeakSet<object>();

/** Opens a route to requests without login. All others are closed. */
export function withoutLogin<H extends Handler>(handler: H): H {
  open.add(handler);
  return handler;
}

/**
 * Lets only requests with the token or a login pass, except to routes marked as open. Answers pages with the login form, and
 * everything else with 401, never with a redirect, which streams would follow.
 */
export function guard(login: Login, page: LoginPage): MiddlewareHandler {
  return async (c, next) => {
    const known = login.known(c);
    const shown = c.req.query('token');
    const asksPage = c.req.method === 'GET' && wantsPage(c);
    if (asksPage && (shown !== undefined || c.req.query('login') !== undefined)) {
      if (!known && shown !== undefined && !login.isToken(shown)) return refuseToken(c, login, page);
      if (!known && shown !== undefined) login.cookies.give(c);
      // Keeps the token out of the browser's history and of referrers.
      if (known || shown !== undefined) return c.redirect((rootOf(c) || './') + askedPath(c), 303);
    }
    if (known) c.set('known', known);
    if (asksPage) known?.renew();
    if (known) return next();
    if (login.carriesWrongToken(c)) return refuseToken(c, login, page);
    if (isOpen(c)) return next();
    return refuse(c, page, {
      status: 401,
      code: 'login_needed',
      message: 'Log in with your access token.',
      again: mayHoldBack(c) && !login.cookies.carried(c),
    });
  };
}

/** Answers a wrong token; with 429 from the eleventh in a minute on. */
export function refuseToken(c: Context, login: Login, page: LoginPage, back?: string): Response {
  const seconds = login.wrongToken();
  if (seconds === null) {
    const message = 'Wrong token.';
    return refuse(c, page, { status: 401, code: 'wrong_token', message, back });
  }
  c.header('Retry-After', String(seconds));
  const message = `Too many wrong tokens. Try again in ${seconds} s; the right token works at any time.`;
  return refuse(c, page, { status: 429, code: 'too_many', message, back });
}

type Refusal = { status: 401 | 429; code: string; message: string; again?: boolean; back?: string | undefined };

function refuse(c: Context, page: LoginPage, { status, code, message, again, back }: Refusal): Response {
  if (status === 401) c.header('WWW-Authenticate', 'Bearer realm="Trackside"');
  if (!wantsPage(c)) return c.json({ error: { code, message } }, status);
  const root = rootOf(c);
  const asked = back ?? (c.req.method === 'GET' ? askedPath(c) : '');
  const retry = `${root || './'}${asked}${asked.includes('?') ? '&' : '?'}login=again`;
  return c.html(
    page({ root, back: asked, message, wrong: code !== 'login_needed', again: again ? retry : null }),
    status,
  );
}

/**
 * Browsers hold back a Strict cookie after a link from another site, and after the redirect that removes a token from the
 * address. A second request, from our own page, carries it. On plain http browsers don't say where a link was.
 */
function mayHoldBack(c: Context): boolean {
  const site = c.req.header('sec-fetch-site');
  const elsewhere = site === undefined || site === 'cross-site' || site === 'same-site';
  return c.req.method === 'GET' && elsewhere && c.req.query('login') === undefined;
}

function isOpen(c: Context): boolean {
  const routes = matchedRoutes(c).filter(({ method }) => method !== 'ALL');
  return routes.length > 0 && routes.every(({ handler }) => open.has(handler));
}
