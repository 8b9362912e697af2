import { type Context, Hono } from 'hono';
import { Problem } from '../problem.js';
import { rootOf } from '../request.js';
import { findLora, findVersion, loraCalled, lorasOf } from '../sessions/outputs/loras.js';
import { removeFailed } from '../sessions/versions/remove.js';
import { importVersions, trainingVersions } from '../sessions/versions/trainingVersions.js';
import { slug } from '../slug.js';
import type { Trackside } from '../trackside.js';
import { readDocument } from './document.js';
import { pageModel } from './home.js';
import { answer, answerChange } from './respond.js';
import { sessionModel } from './sessionPage.js';

/** LoRAs, each with its versions; `?version=` chooses one of them: by its session, its name or its number. */
export function loraRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs, views } = trackside;

  routes.get('/loras', async (c) => {
    const loras = lorasOf(await outputs.list());
    const facts = loras.map(({ versions, ...lora }) => ({ ...lora, versions: versions.map(({ name }) => name) }));
    return answer(c, facts, async () => views.loras({ ...(await pageModel(trackside, rootOf(c))), loras }));
  });

  routes.get('/loras/:name', async (c) => {
    const lora = findLora(await outputs.list(), c.req.param('name'));
    const asked = c.req.query('version') ?? '';
    const chosen = asked ? findVersion(lora, asked) : lora.versions[0];
    if (!chosen) {
      const message = `${lora.name} has no version ${asked}. It may have been deleted or renamed.`;
      throw new Problem('no_version_of_lora', message, { about: { lora: lora.key } });
    }
    return answer(c, { ...lora, chosen: chosen.name }, async () => {
      const model = await sessionModel(trackside, chosen.name, rootOf(c));
      const versions = lora.versions.map((each) => (each.name === chosen.name ? model.session : each));
      return views.lora({ ...model, lora: { ...lora, versions } });
    });
  });

  routes.get('/loras/:name/training_versions.json', async (c) => {
    const lora = findLora(await outputs.list(), c.req.param('name'));
    c.header('Content-Disposition', 'attachment; filename="training_versions.json"');
    return c.body(trainingVersions(lora), 200, { 'Content-Type': 'application/json' });
  });

  routes.post('/loras/:name/training_versions.json', async (c) => {
    const name = c.req.param('name');
    const { value } = await readDocument(c);
    const lora = loraCalled(await outputs.list(), name);
    const imported = await importVersions(outputs, name, lora, value);
    return answerChange(c, imported, { page: loraPage(c, slug(name) || name), status: 201 });
  });

  // Of the failed ones alone: any other is deleted by its own name.
  routes.delete('/loras/:name/versions/failed', async (c) => {
    const lora = findLora(await outputs.list(), c.req.param('name'));
    const removed = await removeFailed(trackside, lora.versions);
    const left = removed.length < lora.versions.length;
    return answerChange(c, { deleted: removed }, { page: left ? loraPage(c, lora.key) : `${rootOf(c)}loras` });
  });

  return routes;
}

/** The address of a LoRA's page, perhaps with one of its versions chosen. */
export function loraPage(c: Context, key: string, session?: string): string {
  const chosen = session ? `?version=${encodeURIComponent(session)}` : '';
  return `${rootOf(c)}loras/${encodeURIComponent(key)}${chosen}`;
}
