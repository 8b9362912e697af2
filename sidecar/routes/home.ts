import { type Context, Hono } from 'hono';
import { offersSoon } from '../launchers/slurm/offers.js';
import { hasCluster } from '../launchers/slurm/presence.js';
import { rootOf, wantsPage } from '../request.js';
import type { SessionFacts } from '../sessions/facts.js';
import { activeElsewhere, activeSessions } from '../sessions/outputs/active.js';
import { happened } from '../sessions/outputs/happened.js';
import { findSessions, searchSessions } from '../sessions/outputs/search.js';
import { listSessionTrash, type TrashEntry } from '../sessions/versions/trash.js';
import { readDisk } from '../telemetry/disk.js';
import type { Trackside } from '../trackside.js';
import type { PageModel } from '../views/frame.js';
import type { HomeModel } from '../views/home.js';
import { forgetLook, lastLook, lookCookie } from './lastLook.js';
import { answerChange, homeOf } from './respond.js';

/** The Active Sessions banner and the list of all sessions, with search. As JSON: an array, running and newest first. */
export function homeRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const page = cachedHome(trackside);
  const home = async (c: Context) => {
    const query = c.req.query('q') ?? '';
    const number = Number(c.req.query('page')) || 1;
    c.header('Vary', 'Accept');
    if (wantsPage(c)) {
      const shown = { root: rootOf(c), query, page: number, deleted: c.req.query('deleted') ?? '' };
      return c.html(await page(shown, lastLook(c, trackside.settings.outputs)));
    }
    c.header('Content-Type', 'application/json');
    return c.body(jsonArray(findSessions(await trackside.outputs.list(), query)));
  };
  routes.get('/', home);
  routes.get('/sessions', home);
  routes.post('/looked', (c) => {
    forgetLook(c, trackside.settings.outputs);
    return answerChange(c, {}, { page: homeOf(c) });
  });
  return routes;
}

/** How long the page waits for a cluster, in ms: then it shows what was known before. */
const CLUSTER_MS = 100;

/** What the home page shows. */
export async function homeModel(trackside: Trackside, root: string, query: string, page: number): Promise<HomeModel> {
  const { outputs } = trackside;
  const choose = async () => {
    const all = await outputs.list();
    const active = activeSessions(all);
    // Each session stands once: above, or in the list. A search looks at all of them.
    const listed = query ? all : all.filter((facts) => !active.includes(facts));
    const found = searchSessions(listed, query, page);
    return { active, cards: query || found.page > 1 ? [] : active, ...found };
  };
  const frame = await pageModel(trackside, root);
  const cluster = hasCluster(trackside.settings) ? await offersSoon(CLUSTER_MS) : null;
  const more = { others: trackside.handRuns.elsewhere(), cluster };
  const shown = await choose();
  const brief = [...shown.active, ...shown.sessions].filter((facts) => !facts.looked_into);
  if (brief.length === 0) return { ...frame, ...shown, ...more };
  await outputs.lookInto(brief.map(({ name }) => name));
  return { ...frame, ...(await choose()), ...more };
}

/** What is older is told by nobody: it stands on its page. */
const TOLD_MS = 24 * 3_600_000;

/** What every page shows around its own content. `without` is the session that the page itself is about. */
export async function pageModel(trackside: Trackside, root: string, without?: string): Promise<PageModel> {
  const disk = await readDisk(trackside.settings.outputs);
  const all = await trackside.outputs.list();
  const now = new Date();
  return {
    root,
    now,
    without,
    active: activeElsewhere(all, without),
    happened: happened(all, new Date(now.getTime() - TOLD_MS)),
    looked: lookCookie(trackside.settings.outputs),
    troubles: trackside.disk.troubles(),
    notices: trackside.notices.list(),
    disk: disk && { freeBytes: disk.free_bytes, totalBytes: disk.total_bytes },
  };
}

/** `deleted`: what a person has just deleted, as "name/entry" in the trash; empty where that is nothing. */
type Shown = { root: string; query: string; page: number; deleted: string };

/** Null once it is put back, or removed for good. */
async function findDeleted({ outputs }: Trackside, deleted: string): Promise<TrashEntry | null> {
  if (!deleted) return null;
  const entries = await listSessionTrash(outputs.root);
  return entries.find(({ name, entry }) => `${name}/${entry}` === deleted) ?? null;
}

/** The page stays the same until a session changes, and is then made once for all who ask. */
function cachedHome(trackside: Trackside) {
  const OLDEST_MS = process.env.TRACKSIDE_DEVELOPMENT ? 0 : 5000;
  let made = { key: '', at: 0, html: '' };
  return async ({ root, query, page, deleted }: Shown, look: Date | null): Promise<string> => {
    const unseen = !look || query || page > 1 ? [] : happened(await trackside.outputs.list(), look);
    const since = unseen.length > 0 && look ? look.toISOString() : null;
    const troubles = JSON.stringify([trackside.disk.troubles(), trackside.notices.list()]);
    const key = `${trackside.outputs.revision()} ${trackside.handRuns.revision()} ${troubles} ${root} ${page} ${since} ${deleted} ${query}`;
    if (key !== made.key || performance.now() - made.at > OLDEST_MS) {
      const model = await homeModel(trackside, root, query, page);
      const html = trackside.views.home({ ...model, since, unseen, deleted: await findDeleted(trackside, deleted) });
      made = { key, at: performance.now(), html };
    }
    return made.html;
  };
}

/** Ten thousand sessions are some 20 MB of JSON: made as they are sent. */
function jsonArray(all: readonly SessionFacts[]): ReadableStream<Uint8Array> {
  const AT_ONCE = 100;
  const encoder = new TextEncoder();
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      const text = all.slice(at, at + AT_ONCE).map((facts) => JSON.stringify(facts));
      const [open, close] = [at === 0 ? '[' : ',', at + AT_ONCE >= all.length ? ']' : ''];
      controller.enqueue(encoder.encode(`${open}${text.join(',')}${close}`));
      at += AT_ONCE;
      if (close) controller.close();
    },
  });
}
