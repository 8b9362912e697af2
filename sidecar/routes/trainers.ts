import { Hono } from 'hono';
import { local } from '../launchers/local.js';
import { findModels } from '../models/findModels.js';
import type { Trackside } from '../trackside.js';
import { findTrainer, trainers } from '../trainers/catalogue.js';
import { modelsFor } from '../trainers/modelNeeds.js';
import { sdScriptsFacts } from '../trainers/sdScripts/facts.js';
import { pageModel } from './home.js';
import { answer } from './respond.js';

/** What can be trained, and with which typed settings and arguments; and what there is of sd-scripts. */
export function trainerRoutes(trackside: Trackside): Hono {
  const { settings, views } = trackside;
  const routes = new Hono();

  routes.get('/trainers', (c) => {
    const all = trainers(settings);
    const facts = all.map(({ id, label, description }) => ({ id, label, description }));
    return answer(c, facts, async () => {
      const found = await findModels(trackside.settings);
      return views.trainers({
        ...(await pageModel(trackside, '')),
        sdScripts: await sdScriptsFacts(settings, await local.offers()),
        trainers: all.map(({ id, label, description, models = [] }) => ({
          id,
          label,
          description,
          needs: models.map((need) => ({ ...need, here: modelsFor(need, found).length })),
        })),
      });
    });
  });

  routes.get('/trainers/sd-scripts', async (c) => c.json(await sdScriptsFacts(settings, await local.offers())));

  // An id may contain a slash: sd-scripts/flux.
  routes.get('/trainers/:id{.+}', async (c) => {
    const trainer = findTrainer(settings, c.req.param('id'));
    const { id, label, description, models, presets, own } = trainer;
    if (own) {
      const { description: said, ...parser } = (await own.describe()).parser;
      return c.json({ id, label, description: said ?? description, settings: [], ...parser });
    }
    const known = await trackside.describe(trainer);
    const further = trainer.furtherArguments(known);
    return c.json({ id, label, description, settings: trainer.settings, models, presets, arguments: further });
  });

  return routes;
}
