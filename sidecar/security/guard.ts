import type { Context, Handler, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { rootOf, wantsPage } from '../request.js';
import type { Known, Login } from './login.js';
import { askedPath } from './ownPath.js';

declare module 'hono' {
  interface ContextVariableMap {
    /** Who asks; unset where nobody is asked to log in, and for what is open to all. */
    known: Known;
  }
}

/** Draws the form of the login. `back` is where to go then, `again` the same address once more, to be asked at once. */
export type LoginPage = (shown: { root: string; back: string; message: string | null; again: string | null }) => string;

const open = new WeakSet<object>();

/** Marks a route as one that answers without login. All others are closed. */
export function withoutLogin<H extends Handler>(handler: H): H {
  open.add(handler);
  return handler;
}

/**
 * Stands before every route: only who shows the token or a login passes, except to routes that are marked as open. Pages
 * are answered with the form of the login, everything else with 401 and never a redirect: streams would follow it.
 */
export function guard(login: Login, page: LoginPage): MiddlewareHandler {
  return async (c, next) => {
    const known = login.known(c);
    const shown = c.req.query('token');
    const asksPage = c.req.method === 'GET' && wantsPage(c);
    if (asksPage && (shown !== undefined || c.req.query('login') !== undefined)) {
      if (!known && shown !== undefined && !login.isToken(shown)) return refuseToken(c, login, page);
      if (!known && shown !== undefined) login.cookies.give(c);
      // Not into the history, nor to where a link leads.
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
      message: 'Trackside needs to know that it is you.',
      again: mayHoldBack(c) && !login.cookies.carried(c),
    });
  };
}

/** Answers a wrong token, and from the eleventh in a minute on with 429. */
export function refuseToken(c: Context, login: Login, page: LoginPage, back?: string): Response {
  const seconds = login.wrongToken();
  if (seconds === null) {
    const message = 'Wrong token.';
    return refuse(c, page, { status: 401, code: 'wrong_token', message, back });
  }
  c.header('Retry-After', String(seconds));
  const message = `Too many wrong tokens. Wait ${seconds} s and try again; the right one, and whoever is logged in, always gets in.`;
  return refuse(c, page, { status: 429, code: 'too_many', message, back });
}

type Refusal = { status: 401 | 429; code: string; message: string; again?: boolean; back?: string | undefined };

function refuse(c: Context, page: LoginPage, { status, code, message, again, back }: Refusal): Response {
  if (status === 401) c.header('WWW-Authenticate', 'Bearer realm="Trackside"');
  if (!wantsPage(c)) return c.json({ error: { code, message } }, status);
  const root = rootOf(c);
  const asked = back ?? (c.req.method === 'GET' ? askedPath(c) : '');
  const retry = `${root || './'}${asked}${asked.includes('?') ? '&' : '?'}login=again`;
  return c.html(page({ root, back: asked, message, again: again ? retry : null }), status);
}

/**
 * Browsers hold a Strict cookie back when a link elsewhere led here, and after the redirect that takes a token out of the
 * address too. Asked once more from our own page they send it. On plain http they don't tell where a link was.
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
