import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { refuseUnknown } from '../nearestName.js';
import { Problem } from '../problem.js';
import { askTraining, type Verb } from '../sessions/attempt/ask.js';
import { startOrQueue } from '../sessions/attempt/startOrQueue.js';
import { keepTraining, stopAttempt } from '../sessions/attempt/stop.js';
import type { Trackside } from '../trackside.js';
import { answerChange, pageOfSession, parsed, readFields } from './respond.js';

/** Of a form or of JSON. */
export const flag = z.union([z.boolean(), z.stringbool()], 'Choose true or false.');

/** What a request for an attempt may name. */
export const askedAttempt = z.object({
  kind: z.enum(['start', 'resume', 'relaunch'], 'Choose start, resume or relaunch.'),
  state: z.string().min(1).nullish().catch(null),
  max_train_epochs: z.coerce.number('Enter a number.').int('Enter a whole number.').min(1).max(100_000).nullish(),
  gpus: z.string('Enter the numbers of the GPUs, such as 0 or 0,1.').max(100).nullish(),
  anyway: flag.default(false),
  exactly: flag.default(false),
  queue: flag.default(false),
});

/** Prompts for these samples alone, a line each. Only a trainer that reads its prompts each time takes them. */
export const askedSample = z.object({ prompts: z.string().max(20_000).optional() });

/** Attempts (with `queue`, a start on a GPU that is in use waits for it): starting, resuming, relaunching is to make one; stopping is to end the current one. */
export function attemptRoutes(trackside: Trackside): Hono {
  const routes = new Hono();

  routes.post('/sessions/:name/attempts', async (c) => {
    const name = c.req.param('name');
    const fields = await readFields(c);
    const epochs = fields.max_train_epochs || undefined;
    const asked = parsed('bad_attempt', askedAttempt, { ...fields, max_train_epochs: epochs });
    const { max_train_epochs: maxTrainEpochs, queue, ...begin } = asked;
    const session = await startOrQueue(trackside, name, { ...begin, maxTrainEpochs }, queue);
    const page = pageOfSession(c, name, fields);
    if (session.facts.queue) return answerChange(c, { session: session.facts }, { page, status: 202 });
    const facts = { ...session.facts.attempts.at(-1), session: session.facts };
    const headers = { Location: 'attempts/current' };
    return answerChange(c, facts, { page, status: 201, headers });
  });

  routes.get('/sessions/:name/attempts', async (c) => {
    const { facts } = await trackside.outputs.read(c.req.param('name'));
    return c.json(facts.attempts);
  });

  routes.get('/sessions/:name/attempts/current', async (c) => {
    const { facts } = await trackside.outputs.read(c.req.param('name'));
    const current = facts.attempts.find(({ alive }) => alive);
    if (!current) throw new Problem('no_attempt', `${facts.name} is not running.`);
    return c.json(current);
  });

  routes.delete('/sessions/:name/attempts/current', async (c) => {
    const name = c.req.param('name');
    const fields = await readFields(c);
    refuseUnknown(fields, ['when', 'confirm', 'process', 'job', 'page']);
    const when = c.req.query('when') ?? fields.when ?? 'now';
    if (when !== 'now' && when !== 'after-save') {
      throw new Problem('bad_when', 'when: Choose now or after-save.', { field: 'when' });
    }
    const said = (field: string) => c.req.query(field) ?? String(fields[field] ?? '');
    const asked = { when, confirm: said('confirm'), process: said('process'), job: said('job') } as const;
    const session = await stopAttempt(trackside, name, asked);
    return answerChange(c, session.facts, { page: pageOfSession(c, name, fields), status: 202 });
  });

  // The training does these between two steps, and goes on as if nothing had been.
  routes.post('/sessions/:name/attempts/current/pause', (c) => ask(c, 'pause'));
  routes.post('/sessions/:name/attempts/current/save', (c) => ask(c, 'save'));
  routes.post('/sessions/:name/attempts/current/sample', (c) => ask(c, 'sample'));
  routes.post('/sessions/:name/attempts/current/finish', (c) => ask(c, 'finish'));

  async function ask(c: Context, verb: Verb): Promise<Response> {
    const name = c.req.param('name') ?? '';
    const fields = await readFields(c);
    refuseUnknown(fields, [...(verb === 'sample' ? ['prompts'] : []), 'page']);
    const prompts = askedSample.safeParse(fields).data?.prompts ?? null;
    const session = await askTraining(trackside, name, verb, prompts);
    return answerChange(c, session.facts, { page: pageOfSession(c, name, fields), status: 202 });
  }

  // The wish for an end, while it is no more than that.
  routes.delete('/sessions/:name/attempts/current/stop', async (c) => {
    const name = c.req.param('name');
    const fields = await readFields(c);
    const session = await keepTraining(trackside, name);
    return answerChange(c, session.facts, { page: pageOfSession(c, name, fields) });
  });

  return routes;
}
