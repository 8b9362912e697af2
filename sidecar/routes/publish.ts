import { type Context, Hono } from 'hono';
import { filesToPublish, publishFacts } from '../publish/publishFacts.js';
import { wantsPage } from '../request.js';
import { checkpointsOf } from '../sessions/products/products.js';
import type { Trackside } from '../trackside.js';
import { readFields, wellFormed } from './respond.js';

/** A session's LoRA on the hub: what could be sent, sending it, and calling that off. */
export function publishRoutes({ outputs, publishing, secrets, settings }: Trackside): Hono {
  const routes = new Hono();

  const facts = async (name: string) => {
    const session = await outputs.read(name);
    const token = secrets.get('HF_TOKEN') !== null;
    return publishFacts(publishing.facts(session.name), token, session, await checkpointsOf(session));
  };

  routes.get('/sessions/:name/publication', async (c) => c.json(await facts(c.req.param('name'))));

  routes.post('/sessions/:name/publication', async (c) => {
    const session = await outputs.read(c.req.param('name'));
    const wish = await readWish(c);
    const files = await filesToPublish(session, wish.checkpoints, wish.samples, settings.version);
    const started = await publishing.start({ session: session.name, repo: wish.repo, private: wish.private, files });
    return seen(c, session.name, started, 202);
  });

  routes.delete('/sessions/:name/publication', async (c) => {
    const session = await outputs.read(c.req.param('name'));
    await publishing.cancel(session.name);
    return seen(c, session.name, await facts(session.name), 200);
  });

  return routes;
}

type Wish = { repo: string; private: boolean; checkpoints: string[]; samples: boolean };

/** A form names each chosen checkpoint in a field of its own; JSON has an array. */
async function readWish(c: Context): Promise<Wish> {
  const form = c.req.header('content-type')?.includes('form') ? await wellFormed(c, c.req.formData()) : null;
  const fields = form ? Object.fromEntries(form) : await readFields(c);
  const chosen = form ? form.getAll('checkpoints') : [fields.checkpoints ?? []].flat();
  return {
    repo: String(fields.repo ?? ''),
    private: fields.visibility !== 'public',
    checkpoints: chosen.map(String),
    samples: String(fields.samples) === 'true',
  };
}

/** Back to the session's page for a form; the facts for a program. */
function seen(c: Context, name: string, facts: unknown, status: 200 | 202): Response {
  return wantsPage(c) ? c.redirect(`../${encodeURIComponent(name)}#publish`, 303) : c.json(facts, status);
}
