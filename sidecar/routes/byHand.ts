import { Hono } from 'hono';
import type { Trackside } from '../trackside.js';
import { answerChange, homeOf, readFields } from './respond.js';

/** Trainings that somebody started in a terminal and that write outside the outputs folder: a list, and a confirmed end. */
export function byHandRoutes({ handRuns }: Trackside): Hono {
  const routes = new Hono();

  routes.get('/by-hand', (c) => c.json(handRuns.elsewhere()));

  routes.delete('/by-hand/:pid{[0-9]+}', async (c) => {
    const fields = await readFields(c);
    const confirm = c.req.query('confirm') ?? String(fields.confirm ?? '');
    const ended = handRuns.end(Number(c.req.param('pid')), { confirm });
    return answerChange(c, ended, { page: homeOf(c), status: 202 });
  });

  return routes;
}
