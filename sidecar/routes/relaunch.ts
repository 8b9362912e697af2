import { type Context, Hono } from 'hono';
import { logged } from '../caught.js';
import { listDatasets } from '../datasets/list.js';
import { findModels } from '../models/findModels.js';
import { Problem } from '../problem.js';
import { problemStatus } from '../problemStatus.js';
import { rootOf, wantsPage } from '../request.js';
import { loraKey } from '../sessions/names.js';
import { preflight } from '../sessions/preflight/preflight.js';
import type { Difference } from '../sessions/provenance/provenance.js';
import { completeProvenance } from '../sessions/provenance/record.js';
import { interpreterOf } from '../sessions/provenance/script.js';
import type { Session } from '../sessions/status/session.js';
import { differsToday } from '../sessions/versions/differs.js';
import { relaunchSession } from '../sessions/versions/relaunch.js';
import type { Trackside } from '../trackside.js';
import { trainers } from '../trainers/catalogue.js';
import { modelsFor } from '../trainers/modelNeeds.js';
import { pageModel } from './home.js';
import { loraPage } from './loras.js';
import { answerChange, readFields } from './respond.js';

/** What differs today from what a session records, and making it again as a new version. */
export function relaunchRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs } = trackside;

  routes.get('/sessions/:name/differs', async (c) => {
    return c.json((await differsToday(trackside, await outputs.read(c.req.param('name')))).map(toldOf));
  });

  routes.get('/sessions/:name/relaunch', async (c) => {
    return c.html(await page(c, await outputs.read(c.req.param('name')), null));
  });

  routes.post('/sessions/:name/versions', async (c) => {
    const name = c.req.param('name');
    const fields = await readFields(c);
    try {
      const { facts } = await relaunchSession(trackside, name, fields);
      const headers = { Location: `../${encodeURIComponent(facts.name)}` };
      return answerChange(c, facts, { page: loraPage(c, loraKey(facts), facts.name), status: 201, headers });
    } catch (error) {
      if (!(error instanceof Problem) || !wantsPage(c) || error.code === 'no_session') throw error;
      return c.html(await page(c, await outputs.read(name), error), problemStatus[error.code]);
    }
  });

  return routes;

  /** The page before a relaunch: what differs, what is missing, and where else it may be. */
  async function page(c: Context, session: Session, problem: Problem | null): Promise<string> {
    const { settings, views } = trackside;
    // One that a restart of the sidecar cut off.
    if (session.latest)
      void completeProvenance(session.folder, interpreterOf(session.latest.argv, settings.python), {
        hashes: trackside.hashes,
        models: settings.models,
      }).catch(logged('sessions', 'The record of what it is made from could not be completed.', session.name));
    const models = await findModels(settings);
    const needs = trainers(settings).find(({ id }) => id === session.trainer)?.models ?? [];
    return views.relaunch({
      ...(await pageModel(trackside, rootOf(c), session.name)),
      session: session.facts,
      differs: await differsToday(trackside, session),
      preflight: await preflight(trackside, session),
      problem: problem?.ahead ?? null,
      datasets: (await listDatasets(settings.datasets)).map(({ name }) => name),
      trainers: trainers(settings).map(({ id, label }) => ({ id, label })),
      models: needs.map((need) => ({ ...need, files: modelsFor(need, models).map(({ path }) => path) })),
    });
  }
}

/** As the API names it. */
function toldOf({ what, was, now }: Difference) {
  // biome-ignore lint/suspicious/noThenProperty: the name in the API; a text, and nothing that is waited for.
  return { what, then: was, now };
}
