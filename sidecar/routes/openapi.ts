import { Hono } from 'hono';
import { rootOf } from '../request.js';
import type { Trackside } from '../trackside.js';
import { apiRoutes, openApi } from './described/document.js';
import { errorCodes } from './described/facts.js';
import { pageModel } from './home.js';

/** The API described, for programs (OpenAPI 3.1) and for people. */
export function openApiRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { settings, views } = trackside;

  routes.get('/openapi.json', (c) => c.json(openApi(settings.version)));

  routes.get('/api', async (c) =>
    c.html(views.api({ ...(await pageModel(trackside, rootOf(c))), routes: apiRoutes, codes: errorCodes })),
  );

  return routes;
}
