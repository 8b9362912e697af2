import { join } from 'node:path';
import { Hono } from 'hono';
import type { LiveEvent } from '../live/hub.js';
import { openStream, type Page } from '../live/stream.js';
import { createChartReader } from '../sessions/products/chartStream.js';
import { createRowReader } from '../sessions/products/logStream.js';
import { LOG_FILE } from '../telemetry/follow.js';
import { createLogReader } from '../telemetry/logReader.js';
import type { Trackside } from '../trackside.js';
import { homeModel, pageModel } from './home.js';
import { sessionModel } from './sessionPage.js';

const TAIL_LINES = 500;

/** One stream a page. The query tells what the page shows, so that what is sent fits it. */
export function eventRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { hub, outputs, views } = trackside;

  routes.get('/events', (c) => {
    const depth = Number(c.req.query('depth')) || 0;
    const root = '../'.repeat(Math.min(3, Math.max(0, depth)));
    if (!c.req.query('home')) {
      const without = c.req.query('without');
      return openStream(c, hub, {
        key: `every ${root} ${without}`,
        concerns: concernsAll,
        async draw() {
          const model = await pageModel(trackside, root, without);
          return { title: null, news: views.news(model), regions: views.around(model) };
        },
      });
    }
    const query = c.req.query('q') ?? '';
    const page = Number(c.req.query('page')) || 1;
    return openStream(c, hub, {
      key: `home ${root} ${page} ${query}`,
      concerns: concernsAll,
      async draw() {
        const model = await homeModel(trackside, root, query, page);
        return {
          title: views.homeTitle(model),
          news: views.news(model),
          regions: {
            ...views.around(model),
            banner: views.banner({ ...model, active: model.cards, page: 'home' }),
            sessions: views.sessionsTable(model),
            others: views.others(model),
            cluster: views.cluster(model),
          },
        };
      },
    });
  });

  routes.get('/sessions/:name/events', async (c) => {
    const name = c.req.param('name');
    const { folder } = await outputs.read(name);
    const position = c.req.header('last-event-id') ?? c.req.query('log');
    return openStream(c, hub, {
      key: `session ${name}`,
      concerns: (event) =>
        event.type === 'log' || event.type === 'publication' ? event.name === name : concernsAll(event),
      // A page without the log.
      ...(position === 'none' ? {} : { log: createLogReader(join(folder, LOG_FILE), position, TAIL_LINES) }),
      open: () => outputs.openPage(name),
      async draw(asOf) {
        const model = await sessionModel(trackside, name, '../', asOf);
        return {
          title: views.sessionTitle(model),
          news: views.news(model, model.session),
          regions: { ...views.around(model), ...views.sessionParts(model) },
        };
      },
    });
  });

  routes.get('/sessions/:name/log/events', async (c) => {
    const name = c.req.param('name');
    const { facts, ...session } = await outputs.read(name);
    const position = c.req.header('last-event-id') ?? c.req.query('log');
    const log = createRowReader(async () => ({ ...session, facts: outputs.facts(name) ?? facts }), position);
    return openStream(c, hub, { ...pageAbout(name, 'Log'), log });
  });

  routes.get('/sessions/:name/charts/events', async (c) => {
    const name = c.req.param('name');
    await outputs.folder(name);
    return openStream(c, hub, { ...pageAbout(name, 'Charts'), log: createChartReader(() => outputs.read(name)) });
  });

  routes.get('/sessions/:name/samples/events', async (c) => {
    const name = c.req.param('name');
    await outputs.folder(name);
    return openStream(c, hub, pageAbout(name, 'Samples'));
  });

  return routes;

  /** A page about something of a session: its title and status, and what every page shows. */
  function pageAbout(name: string, what: string): Omit<Page, 'log'> {
    return {
      key: `${what} ${name}`,
      concerns: (event) => (event.type === 'log' ? event.name === name : concernsAll(event)),
      async draw() {
        const session = outputs.facts(name) ?? (await outputs.read(name)).facts;
        const model = { ...(await pageModel(trackside, '../../', name)), session };
        return {
          title: `${views.sessionTitle(model)} · ${what}`,
          news: views.news(model, model.session),
          regions: { ...views.around(model), status: views.status(model) },
        };
      },
    };
  }
}

/** What every page shows: the sessions, the disk. */
function concernsAll({ type }: LiveEvent): boolean {
  return !['log', 'models', 'publication', 'machine', 'outbox', 'pod'].includes(type);
}
