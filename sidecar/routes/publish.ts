import { type Context, Hono } from 'hono';
import { refuseUnknown } from '../nearestName.js';
import { endPublication, type Publication, publishSession, readPublication } from '../publish/publishSession.js';
import type { Trackside } from '../trackside.js';
import { answerChange, pageOfSession, readFields, wellFormed } from './respond.js';

/** A session's LoRA on the hub: what could be sent, sending it, and calling that off. */
export function publishRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const page = (c: Context, name: string) => `${pageOfSession(c, name)}#publish`;

  routes.get('/sessions/:name/publication', async (c) => {
    return c.json(await readPublication(trackside, c.req.param('name')));
  });

  routes.post('/sessions/:name/publication', async (c) => {
    const name = c.req.param('name');
    const started = await publishSession(trackside, name, await readAsked(c));
    return answerChange(c, started, { page: page(c, name), status: 202 });
  });

  routes.delete('/sessions/:name/publication', async (c) => {
    const name = c.req.param('name');
    return answerChange(c, await endPublication(trackside, name), { page: page(c, name) });
  });

  return routes;
}

/** A form names each chosen checkpoint in a field of its own; JSON has an array. */
async function readAsked(c: Context): Promise<Publication> {
  const form = c.req.header('content-type')?.includes('form') ? await wellFormed(c, c.req.formData()) : null;
  const fields = form ? Object.fromEntries(form) : await readFields(c);
  refuseUnknown(fields, ['repo', 'visibility', 'checkpoints', 'samples', 'page']);
  const chosen = form ? form.getAll('checkpoints') : [fields.checkpoints ?? []].flat();
  return {
    repo: String(fields.repo ?? ''),
    private: fields.visibility !== 'public',
    checkpoints: chosen.map(String),
    samples: String(fields.samples) === 'true',
  };
}
