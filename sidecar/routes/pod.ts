import { type Context, Hono } from 'hono';
import { openStream } from '../live/stream.js';
import { rootOf, wantsPage } from '../request.js';
import { withoutLogin } from '../security/guard.js';
import type { Trackside } from '../trackside.js';
import type { PodModel } from '../views/pod.js';
import { pageModel } from './home.js';
import { answer, answerChange, readFields, wrongInForm } from './respond.js';

/** What the pod costs, its spending limit, and that it stops by itself. */
export function podRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { views, hub } = trackside;
  const { store, stop, meter } = trackside.pod;

  const model = async (root: string, more: Partial<PodModel> = {}): Promise<PodModel> => ({
    ...(await pageModel(trackside, root)),
    pod: await podFacts(trackside),
    said: null,
    values: {},
    errors: {},
    ...more,
  });

  routes.get('/pod', async (c) =>
    answer(c, await podFacts(trackside), async () =>
      views.pod(await model(rootOf(c), { said: c.req.query('done') === 'saved' ? 'Saved.' : null })),
    ),
  );

  routes.get('/pod/events', (c) =>
    openStream(c, hub, {
      key: 'pod',
      concerns: ({ type }) => ['session', 'disk', 'pod', 'machine', 'logout'].includes(type),
      async draw() {
        const shown = await model('');
        return { title: null, regions: { ...views.around(shown), podNow: views.podNow(shown) } };
      },
    }),
  );

  routes.patch('/pod', async (c) => {
    const fields = await readFields(c, { secret: true });
    try {
      await store.edit(fields);
    } catch (error) {
      const { status, ...wrong } = wrongInForm(c, error, fields);
      return c.html(views.pod(await model(rootOf(c), wrong)), status);
    }
    return done(c);
  });

  /** Begins to count from nothing. */
  routes.delete('/pod/spending', async (c) => {
    await meter.reset();
    return done(c);
  });

  routes.delete('/pod/stop', async (c) => {
    await stop.cancel();
    return done(c);
  });

  routes.post('/pod/stop', async (c) => {
    await stop.again();
    return done(c);
  });

  /** A button: programs that look at links must not press it. */
  routes.get(
    '/pod/cancel/:ticket',
    withoutLogin((c) => c.html(views.podCancel({ root: rootOf(c), valid: stop.isTicket(ticketOf(c)), done: false }))),
  );

  const done = async (c: Context) =>
    answerChange(c, wantsPage(c) ? null : await podFacts(trackside), { page: `${rootOf(c)}pod?done=saved` });

  return routes;
}

/**
 * The one-time address in a notice, which keeps the pod running: for everybody who got that notice, without login and from
 * any page (that of ntfy, for one).
 */
export function podCancelRoutes({ pod, views }: Pick<Trackside, 'pod' | 'views'>): Hono {
  return new Hono().post(
    '/pod/cancel/:ticket',
    withoutLogin(async (c) => {
      const valid = pod.stop.isTicket(ticketOf(c));
      if (valid) await pod.stop.cancel();
      if (wantsPage(c)) return c.html(views.podCancel({ root: rootOf(c), valid, done: valid }), valid ? 200 : 404);
      return valid ? c.json({ cancelled: true }) : c.json({ error: { code: 'not_found', message: OVER } }, 404);
    }),
  );
}

const ticketOf = (c: Context) => c.req.param('ticket') ?? '';
const OVER = 'This countdown is over, or was cancelled already.';

const MOST_SESSIONS = 12;

/** What the pod costs and has cost, in US dollars, and whether it stops by itself. Of a key it says whether there is one. */
async function podFacts({ pod, outputs }: Trackside) {
  const { key, ...settings } = pod.store.now();
  const price = pod.price();
  const { provider, missing } = pod.provider();
  const trained = (await outputs.list()).filter(({ attempts }) => attempts.length > 0).slice(0, MOST_SESSIONS);
  return {
    price,
    ...pod.meter.facts(),
    settings: { ...settings, key: key !== '' },
    provider: provider && { id: provider.id, name: provider.name, leaves: provider.leaves },
    missing,
    stop: pod.stop.facts(),
    sessions: trained.flatMap((facts) => {
      const { name, lora_name, version, version_name, status } = facts;
      const cost = pod.cost(facts);
      return cost ? [{ name, lora_name, version, version_name, status, ...cost }] : [];
    }),
  };
}
