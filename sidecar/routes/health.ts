import { Hono } from 'hono';
import { withoutLogin } from '../security/guard.js';
import type { Trackside } from '../trackside.js';

/** For load balancers and pod templates: that we answer, and who we are. */
export function healthRoutes({ settings }: Trackside): Hono {
  return new Hono().get(
    '/healthz',
    withoutLogin((c) => c.json({ status: 'ok', version: settings.version })),
  );
}
