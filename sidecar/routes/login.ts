import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { within } from '../caught.js';
import type { Hub } from '../live/hub.js';
import { rootOf, wantsPage } from '../request.js';
import { refuseToken, withoutLogin } from '../security/guard.js';
import type { Login } from '../security/login.js';
import { ownPath } from '../security/ownPath.js';
import type { Views } from '../views/pages.js';
import { readFields } from './respond.js';

const LARGEST_FORM = 16 * 1024;
const PATIENCE_MS = 10_000;

/** The form that asks for the token, and the way out. */
export function loginRoutes(login: Login, views: Views, hub: Hub): Hono {
  const routes = new Hono();

  routes.get(
    '/login',
    withoutLogin((c) => {
      if (login.known(c)) return c.redirect('./', 303);
      const message = c.req.query('out') === undefined ? null : 'You are logged out. Trainings keep running.';
      return c.html(views.login({ root: rootOf(c), back: '', message, wrong: false, again: null }));
    }),
  );

  routes.use(
    '/login',
    inTime((c) => refuseToken(c, login, views.login, '')),
  );
  routes.use('/login', bodyLimit({ maxSize: LARGEST_FORM, onError: (c) => refuseToken(c, login, views.login, '') }));
  routes.post(
    '/login',
    withoutLogin(async (c) => {
      const { token, back } = await readFields(c, { secret: true });
      if (typeof token !== 'string' || !login.isToken(token)) return refuseToken(c, login, views.login, ownPath(back));
      login.cookies.give(c);
      return seen(c, `./${ownPath(back)}`);
    }),
  );

  routes.post('/logout', async (c) => {
    await login.end(c);
    hub.tell({ type: 'logout' });
    return seen(c, './login?out');
  });

  return routes;
}

/** Who sends a few bytes for longer than this is nobody who types. */
function inTime(refuse: (c: Context) => Response): MiddlewareHandler {
  return (c, next) => within<Awaited<ReturnType<typeof next>> | Response>(PATIENCE_MS, next(), () => refuse(c));
}

/** A program has no use for a page. */
function seen(c: Context, page: string): Response {
  return wantsPage(c) ? c.redirect(page, 303) : c.body(null, 204);
}
