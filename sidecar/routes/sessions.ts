import { Hono } from 'hono';
import { Problem } from '../problem.js';
import { problemStatus } from '../problemStatus.js';
import { rootOf, wantsPage } from '../request.js';
import { refuseSecrets } from '../security/refuseSecrets.js';
import { beginAttempt } from '../sessions/attempt/begin.js';
import type { Finding } from '../sessions/preflight/finding.js';
import { preflight } from '../sessions/preflight/preflight.js';
import { readNewSession } from '../sessions/versions/asked.js';
import { clearSessionCaches } from '../sessions/versions/clearCaches.js';
import { createSession } from '../sessions/versions/create.js';
import { changesDraft, editSession } from '../sessions/versions/edit.js';
import { removeSession } from '../sessions/versions/remove.js';
import type { Trackside } from '../trackside.js';
import { pageOf } from '../views/subject.js';
import { newTrainingPage } from './newTraining.js';
import { readFields } from './respond.js';
import { changeDraft, isStart } from './sessionForm.js';
import { sessionPage } from './sessionPage.js';

/** Sessions: making one, reading it, editing its words, deleting it. Its attempts and files have routes of their own. */
export function sessionRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs } = trackside;

  routes.post('/sessions', async (c) => {
    const fields = await readFields(c, { secret: true });
    let made = false;
    try {
      refuseSecrets(fields);
      const start = isStart(fields);
      const asked = await readNewSession(trackside, fields, start);
      const { session, existed } = await createSession(trackside, asked);
      const { name } = session;
      const place = `${rootOf(c)}sessions/${encodeURIComponent(name)}`;
      if (existed) {
        if (wantsPage(c)) return c.redirect(place, 303);
        const told = 'This form was sent before; its session exists.';
        throw new Problem('already_made', told, { about: { session: name } });
      }
      made = true;
      const begun = start ? await startNew(trackside, name) : session;
      if (wantsPage(c)) return c.redirect(place, 303);
      return c.json(begun.facts, 201, { Location: place });
    } catch (error) {
      if (error instanceof Problem && wantsPage(c) && !made) {
        return c.html(
          await newTrainingPage(trackside, { root: rootOf(c), values: fields, typed: true, problem: error }),
          problemStatus[error.code],
        );
      }
      throw error;
    }
  });

  routes.get('/sessions/:name', async (c) => {
    const name = c.req.param('name');
    if (wantsPage(c)) return c.html(await sessionPage(trackside, name, rootOf(c)));
    return c.json((await outputs.read(name)).facts);
  });

  routes.get('/sessions/:name/preflight', async (c) => {
    const { ready, errors, warnings } = await preflight(trackside, await outputs.read(c.req.param('name')));
    return c.json({ ready, errors: errors.map(withLink), warnings: warnings.map(withLink) });
  });

  /** What the trainer keeps beside the pictures; another session that trains on them needs it. */
  routes.delete('/sessions/:name/caches', async (c) => {
    const removed = await clearSessionCaches(trackside, c.req.param('name'));
    if (wantsPage(c)) return c.redirect(`${rootOf(c)}sessions/${encodeURIComponent(c.req.param('name'))}`, 303);
    return c.json({ removed });
  });

  routes.patch('/sessions/:name', async (c) => {
    const name = c.req.param('name');
    const fields = await readFields(c);
    const back = fields.page === 'home' ? rootOf(c) || './' : `${rootOf(c)}sessions/${encodeURIComponent(name)}`;
    const isDraft = changesDraft(fields) && (await outputs.read(name)).facts.status === 'draft';
    const change = isDraft ? changeDraft : editSession;
    const session = await change(trackside, name, fields);
    if (wantsPage(c)) return c.redirect(back, 303);
    return c.json(session.facts);
  });

  routes.delete('/sessions/:name', async (c) => {
    const removed = await removeSession(outputs, c.req.param('name'));
    if (wantsPage(c)) return c.redirect(rootOf(c) || './', 303);
    return c.json(removed);
  });

  return routes;
}

function withLink({ about, ...finding }: Finding) {
  return about ? { ...finding, link: pageOf(about).path } : finding;
}

/** A start that can't be made is told with the way to its draft, in which the settings are safe. */
async function startNew(trackside: Trackside, name: string) {
  try {
    return (await beginAttempt(trackside, name, { kind: 'start' })).session;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(error.code, error.ahead, {
      kept: 'Its settings are kept in a draft.',
      about: { session: name },
    });
  }
}
