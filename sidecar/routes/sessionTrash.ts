import { Hono } from 'hono';
import { requireAnswer } from '../files/answers.js';
import { rootOf } from '../request.js';
import { listSessionTrash, removeForGood, restoreSession } from '../sessions/versions/trash.js';
import type { Trackside } from '../trackside.js';
import { pageModel } from './home.js';
import { answer, answerChange, pageOfSession, readFields } from './respond.js';

/** `/trash`: deleted sessions. One that is posted to is put back; one that is deleted again is removed for good. */
export function sessionTrashRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs, views } = trackside;

  routes.get('/trash', async (c) => {
    await requireAnswer(outputs.root);
    const entries = await listSessionTrash(outputs.root);
    return answer(c, entries, async () => views.trash({ ...(await pageModel(trackside, rootOf(c))), entries }));
  });

  routes.post('/trash/:name/:entry', async (c) => {
    const { name, entry } = c.req.param();
    const { facts } = await restoreSession(outputs, name, entry);
    return answerChange(c, facts, { page: pageOfSession(c, facts.name) });
  });

  routes.delete('/trash/:name/:entry', async (c) => {
    const { name, entry } = c.req.param();
    const { confirm } = await readFields(c);
    const said = c.req.query('confirm') ?? (typeof confirm === 'string' ? confirm : '');
    return answerChange(c, await removeForGood(outputs.root, name, entry, said), { page: `${rootOf(c)}trash` });
  });

  return routes;
}
