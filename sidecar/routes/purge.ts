import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { requireAnswer } from '../files/answers.js';
import { refuseUnknown } from '../nearestName.js';
import { Problem } from '../problem.js';
import { rootOf, wantsPage } from '../request.js';
import { planPurge } from '../sessions/retention/plan.js';
import { purge } from '../sessions/retention/purge.js';
import { readPurged } from '../sessions/retention/record.js';
import { emptyEntry, listTrash, putBack } from '../sessions/retention/trash.js';
import type { Trackside } from '../trackside.js';
import { pageModel } from './home.js';
import { answerChange, readFields } from './respond.js';

const DAYS = 'days: Enter a whole number of days.';
/** What a cleanup is about. */
export const askedPurge = z.object({
  days: z.coerce.number(DAYS).int(DAYS).min(0, DAYS).max(36_500, DAYS).optional(),
  session: z.string().min(1).optional(),
});

/** Cleanup: what would go and why, the same done, the trash between, and the record of what went. */
export function purgeRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { settings, outputs, views } = trackside;
  const chosen = (fields: Record<string, unknown>) => {
    refuseUnknown(fields, Object.keys(askedPurge.shape));
    const read = askedPurge.safeParse({ ...fields, days: fields.days === '' ? undefined : fields.days });
    if (!read.success) throw new Problem('bad_purge', read.error.issues[0]?.message ?? DAYS, { field: 'days' });
    const { session = null, days = session === null ? settings.retentionDays : 0 } = read.data;
    return { days, session };
  };
  const page = (c: Context) => `${rootOf(c)}purge`;

  routes.get('/purge', async (c) => {
    await requireAnswer(outputs.root);
    const wish = chosen(c.req.query());
    const plan = await planPurge(trackside, wish, new Date());
    const [trash, record] = await Promise.all([listTrash(outputs.root), readPurged(outputs.root)]);
    c.header('Vary', 'Accept');
    if (!wantsPage(c)) return c.json({ ...plan, trash, record });
    const nightly = { days: settings.retentionDays, hour: settings.purgeHour };
    const shown = { ...(await pageModel(trackside, rootOf(c))), plan, trash, record, nightly };
    return c.html(views.purge({ ...shown, session: wish.session, outputs: outputs.root }));
  });

  routes.post('/purge', async (c) => {
    const done = await purge(trackside, chosen(await readFields(c)), 'person', new Date());
    return answerChange(c, done, { page: `${page(c)}#trash` });
  });

  routes.get('/purge/trash', async (c) => c.json(await listTrash(outputs.root)));

  routes.post('/purge/trash/:entry', async (c) => {
    const done = await putBack(outputs.root, c.req.param('entry'));
    return answerChange(c, done, { page: `${page(c)}#trash` });
  });

  routes.delete('/purge/trash/:entry', async (c) => {
    return answerChange(c, await emptyEntry(outputs.root, c.req.param('entry')), { page: `${page(c)}#trash` });
  });

  return routes;
}
