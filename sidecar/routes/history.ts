import { Hono } from 'hono';
import { rootOf } from '../request.js';
import { readHistory, readHistoryVersion } from '../sessions/record/history.js';
import { restoreVersion } from '../sessions/versions/restore.js';
import type { Trackside } from '../trackside.js';
import { pageModel } from './home.js';
import { answer, answerChange, pageOfSession } from './respond.js';

/** The last versions of a session's `ui_state.json`: a list, each compared with the present, and putting one back. */
export function historyRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs, views } = trackside;

  routes.get('/sessions/:name/history', async (c) => {
    const session = await outputs.read(c.req.param('name'));
    const versions = await readHistory(session);
    return answer(c, versions, async () => {
      const model = await pageModel(trackside, rootOf(c), session.name);
      return views.history({ ...model, session: session.facts, versions });
    });
  });

  routes.get('/sessions/:name/history/:version', async (c) => {
    const session = await outputs.read(c.req.param('name'));
    const version = await readHistoryVersion(session, c.req.param('version'));
    return answer(c, { ...version, text: undefined, state: parsed(version.text) }, async () => {
      const model = await pageModel(trackside, rootOf(c), session.name);
      return views.historyVersion({ ...model, session: session.facts, version });
    });
  });

  /** The file as it was saved. */
  routes.get('/sessions/:name/history/:version/ui_state.json', async (c) => {
    const session = await outputs.read(c.req.param('name'));
    const { text } = await readHistoryVersion(session, c.req.param('version'));
    return c.text(text);
  });

  /** Posted to, it becomes the present. */
  routes.post('/sessions/:name/history/:version', async (c) => {
    const name = c.req.param('name');
    const { facts } = await restoreVersion(trackside, name, c.req.param('version'));
    return answerChange(c, facts, { page: pageOfSession(c, name) });
  });

  return routes;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // silent: a value that somebody wrote without quotes is shown as it stands.
    return text;
  }
}
