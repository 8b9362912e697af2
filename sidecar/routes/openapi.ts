import { Hono } from 'hono';
import { rootOf } from '../request.js';
import type { Trackside } from '../trackside.js';
import { pageModel } from './home.js';

/** The API described, for programs (OpenAPI 3.1) and for people. Its schemas are loaded when they are first asked for. */
export function openApiRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { settings, views } = trackside;

  routes.get('/openapi.json', async (c) => {
    const { openApi } = await import('./described/document.js');
    return c.json(openApi(settings.version));
  });

  routes.get('/api', async (c) => {
    const [model, { apiRoutes }, { errorCodes }] = await Promise.all([
      pageModel(trackside, rootOf(c)),
      import('./described/document.js'),
      import('./described/facts.js'),
    ]);
    return c.html(views.api({ ...model, routes: apiRoutes, codes: errorCodes }));
  });

  return routes;
}
