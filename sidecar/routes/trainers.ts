import { Hono } from 'hono';
import type { Trackside } from '../trackside.js';
import { findTrainer, trainers } from '../trainers/catalogue.js';

/** What can be trained, and with which typed settings and arguments. */
export function trainerRoutes(trackside: Trackside): Hono {
  const routes = new Hono();

  routes.get('/trainers', (c) =>
    c.json(trainers(trackside.settings).map(({ id, label, description }) => ({ id, label, description }))),
  );

  // An id may hold a slash: sd-scripts/flux.
  routes.get('/trainers/:id{.+}', async (c) => {
    const trainer = findTrainer(trackside.settings, c.req.param('id'));
    const known = await trackside.describe(trainer);
    const { id, label, description, settings } = trainer;
    return c.json({ id, label, description, settings, arguments: trainer.furtherArguments(known) });
  });

  return routes;
}
