import { type Context, Hono } from 'hono';
import { activeElsewhere, activeSessions } from '../sessions/active.js';
import { searchSessions } from '../sessions/search.js';
import { readDisk } from '../telemetry/disk.js';
import type { Trackside } from '../trackside.js';
import type { HomeModel, PageModel } from '../views/pages.js';
import { answer, rootOf } from './respond.js';

/** The Active Sessions banner and the list of all sessions, with search. As JSON: an array, running and newest first. */
export function homeRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const page = cachedHome(trackside);
  const home = async (c: Context) => {
    const query = c.req.query('q') ?? '';
    const number = Number(c.req.query('page')) || 1;
    const all = await trackside.outputs.list();
    const facts = query ? searchAll(all, query) : all;
    return answer(c, facts, () => page(rootOf(c), query, number));
  };
  routes.get('/', home);
  routes.get('/sessions', home);
  return routes;
}

/** What the home page shows. */
export async function homeModel(trackside: Trackside, root: string, query: string, page: number): Promise<HomeModel> {
  const all = await trackside.outputs.list();
  const frame = await pageModel(trackside, root);
  const others = trackside.handRuns.elsewhere();
  return { ...frame, active: activeSessions(all, frame.now), ...searchSessions(all, query, page), others };
}

/** What every page shows around its own content. `without` is the session that the page itself is about. */
export async function pageModel(trackside: Trackside, root: string, without?: string): Promise<PageModel> {
  const disk = await readDisk(trackside.settings.outputs);
  return {
    root,
    now: new Date(),
    active: activeElsewhere(await trackside.outputs.list(), without),
    troubles: trackside.disk.troubles(),
    disk: disk && { freeBytes: disk.free_bytes, totalBytes: disk.total_bytes },
  };
}

/** The page stays the same until a session changes, and is then made once for all who ask. */
function cachedHome(trackside: Trackside) {
  const OLDEST_MS = 5000;
  let made = { key: '', at: 0, html: '' };
  return async (root: string, query: string, page: number): Promise<string> => {
    const troubles = JSON.stringify(trackside.disk.troubles());
    const key = `${trackside.outputs.revision()} ${trackside.handRuns.revision()} ${troubles} ${root} ${page} ${query}`;
    if (key !== made.key || performance.now() - made.at > OLDEST_MS) {
      const html = trackside.views.home(await homeModel(trackside, root, query, page));
      made = { key, at: performance.now(), html };
    }
    return made.html;
  };
}

function searchAll(all: Awaited<ReturnType<Trackside['outputs']['list']>>, query: string) {
  const first = searchSessions(all, query, 1);
  return Array.from({ length: first.pages }, (_, index) => searchSessions(all, query, index + 1).sessions).flat();
}
