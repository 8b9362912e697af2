import { type Context, Hono } from 'hono';
import type { Trackside } from '../trackside.js';
import { answerChange, homeOf, readFields } from './respond.js';

/** Trainings that somebody started in a terminal, or submitted by hand, and that write outside the outputs folder: a list, and a confirmed end. */
export function byHandRoutes({ handRuns }: Trackside): Hono {
  const routes = new Hono();

  routes.get('/by-hand', async (c) => c.json(await handRuns.elsewhereNow()));

  const end = async (c: Context, which: { pid?: number; job?: string }) => {
    const fields = await readFields(c);
    const confirm = c.req.query('confirm') ?? String(fields.confirm ?? '');
    return answerChange(c, handRuns.end(which, { confirm }), { page: homeOf(c), status: 202 });
  };
  routes.delete('/by-hand/:pid{[0-9]+}', (c) => end(c, { pid: Number(c.req.param('pid')) }));
  // Of an array: 12_3, 12_[4-9].
  routes.delete('/by-hand/jobs/:job', (c) => end(c, { job: c.req.param('job') }));

  return routes;
}
