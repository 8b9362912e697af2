import { join } from 'node:path';
import { type Context, Hono } from 'hono';
import { Problem } from '../problem.js';
import { wantsPage } from '../request.js';
import { withoutLogin } from '../security/guard.js';
import type { Share } from '../security/shares.js';
import { readLosses } from '../sessions/products/curve.js';
import { samplesOf } from '../sessions/products/products.js';
import type { Session } from '../sessions/status/session.js';
import { LOG_FILE } from '../telemetry/follow.js';
import { readLogTail } from '../telemetry/logTail.js';
import type { Trackside } from '../trackside.js';
import { sharedFacts } from '../views/shared.js';
import { sendSample } from './sendSamples.js';

const TAIL_LINES = 200;

/**
 * What a read-only link opens, without a login. The key in the address is all that lets in: these routes read the sessions
 * of its link and nothing else, and change nothing. Their pages have a frame of their own, which tells of no other session.
 */
export function sharedRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs, views } = trackside;

  const shareOf = (c: Context): Share => {
    if (!trackside.shares) throw new Problem('no_share', 'This link opens nothing.');
    return trackside.shares.find(c.req.param('key') ?? '');
  };

  /** A session of the link. Throws the same Problem for any other, whether it is there or not. */
  const sessionOf = async (c: Context): Promise<Session> => {
    const share = shareOf(c);
    const name = c.req.param('name') ?? '';
    const facts = (await outputs.list()).find((each) => each.name === name);
    const its = share.about === 'session' ? name === share.name : facts?.lora_name === share.name;
    if (!its || !facts) throw new Problem('no_session', 'There is no such session behind this link.');
    return outputs.read(name);
  };

  routes.get(
    '/shared/:key',
    withoutLogin(async (c) => {
      const share = shareOf(c);
      const its = (await outputs.list()).filter((each) =>
        share.about === 'session' ? each.name === share.name : each.lora_name === share.name,
      );
      const sessions = its.map(sharedFacts);
      const facts = { about: share.about, name: share.name, expires_at: share.expires_at, sessions };
      c.header('Vary', 'Accept');
      return wantsPage(c)
        ? c.html(views.sharedList({ root: '../', now: new Date(), key: c.req.param('key') ?? '', ...facts }))
        : c.json(facts);
    }),
  );

  routes.get(
    '/shared/:key/:name',
    withoutLogin(async (c) => {
      const { expires_at } = shareOf(c);
      const session = await sessionOf(c);
      const samples = (await samplesOf(session)).filter(({ lost }) => !lost);
      c.header('Vary', 'Accept');
      if (!wantsPage(c)) return c.json({ ...sharedFacts(session.facts), samples, expires_at });
      const [curve, log] = [await readLosses(session), await readLogTail(join(session.folder, LOG_FILE), TAIL_LINES)];
      const model = {
        root: '../../',
        now: new Date(),
        session: session.facts,
        samples,
        curve,
        log: log.text,
        expires_at,
      };
      return c.html(views.shared(model));
    }),
  );

  routes.get(
    '/shared/:key/:name/samples/:file',
    withoutLogin(async (c) => sendSample(c, outputs.root, await sessionOf(c))),
  );

  return routes;
}
