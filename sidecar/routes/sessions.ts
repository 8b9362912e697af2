import { relative } from 'node:path';
import { Hono } from 'hono';
import { logged } from '../caught.js';
import { Problem } from '../problem.js';
import { problemStatus } from '../problemStatus.js';
import { rootOf, wantsPage } from '../request.js';
import { refuseSecrets } from '../security/refuseSecrets.js';
import { finishDraft } from '../sessions/drafts/drafts.js';
import { loraKey, TRASH } from '../sessions/names.js';
import { preflight } from '../sessions/preflight/preflight.js';
import { clearSessionCaches } from '../sessions/versions/clearCaches.js';
import { type Created, createSession } from '../sessions/versions/create.js';
import { changeSession } from '../sessions/versions/edit.js';
import { removeSession } from '../sessions/versions/remove.js';
import type { Trackside } from '../trackside.js';
import type { Finding } from '../trainers/finding.js';
import { pageOf } from '../views/subject.js';
import { diskProblem } from './diskProblem.js';
import { loraPage } from './loras.js';
import { newTrainingPage } from './newTraining.js';
import { answerChange, homeOf, pageOfSession, readFields } from './respond.js';
import { sessionPage } from './sessionPage.js';

/** Sessions: making one, reading it, editing its words, deleting it. Its attempts and files have routes of their own. */
export function sessionRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs } = trackside;

  routes.post('/sessions', async (c) => {
    const fields = await readFields(c, { secret: true });
    let made: Created;
    try {
      refuseSecrets(fields);
      made = await createSession(trackside, fields);
    } catch (error) {
      const problem = error instanceof Problem ? error : diskProblem(error);
      if (!problem || !wantsPage(c)) throw error;
      const shown = { root: rootOf(c), values: fields, typed: true, problem };
      return c.html(await newTrainingPage(trackside, shown), problemStatus[problem.code]);
    }
    const { session, existed, refused } = made;
    if (fields.kept_as)
      await finishDraft(trackside.settings.outputs, String(fields.kept_as), String(fields.form_id ?? '')).catch(
        logged('sessions', 'A draft could not be cleared.', session.name),
      );
    const about = { session: session.name };
    if (refused) throw refused;
    if (existed && !wantsPage(c)) {
      throw new Problem('already_made', 'This form was already sent; its session exists.', { about });
    }
    const page = pageOfSession(c, session.name);
    return answerChange(c, session.facts, { page, status: 201, headers: { Location: page } });
  });

  routes.get('/sessions/:name', async (c) => {
    const name = c.req.param('name');
    if (wantsPage(c)) return c.html(await sessionPage(trackside, name, rootOf(c)));
    const { facts } = await outputs.read(name);
    return c.json({ ...facts, cost: trackside.pod.cost(facts) });
  });

  routes.get('/sessions/:name/preflight', async (c) => {
    const { ready, errors, warnings } = await preflight(trackside, await outputs.read(c.req.param('name')));
    return c.json({ ready, errors: errors.map(withLink), warnings: warnings.map(withLink) });
  });

  /** What the trainer keeps beside the pictures; another session that trains on them needs it. */
  routes.delete('/sessions/:name/caches', async (c) => {
    const name = c.req.param('name');
    const removed = await clearSessionCaches(trackside, name);
    return answerChange(c, { removed }, { page: pageOfSession(c, name) });
  });

  routes.patch('/sessions/:name', async (c) => {
    const name = c.req.param('name');
    const fields = await readFields(c);
    const { facts } = await changeSession(trackside, name, fields);
    const page = fields.page === 'lora' ? loraPage(c, loraKey(facts), name) : pageOfSession(c, name, fields);
    return answerChange(c, facts, { page });
  });

  routes.delete('/sessions/:name', async (c) => {
    const name = c.req.param('name');
    const { page } = await readFields(c);
    const { facts } = await outputs.read(name);
    const removed = await removeSession(trackside, name);
    const left = (await outputs.list()).some((each) => loraKey(each) === loraKey(facts));
    const lora = left ? loraPage(c, loraKey(facts)) : `${rootOf(c)}loras`;
    const home = `${homeOf(c)}?${new URLSearchParams({ deleted: relative(TRASH, removed.trash) })}`;
    return answerChange(c, removed, { page: page === 'lora' ? lora : home });
  });

  return routes;
}

function withLink({ about, ...finding }: Finding) {
  return about ? { ...finding, link: pageOf(about).path } : finding;
}
