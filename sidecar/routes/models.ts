import { join } from 'node:path';
import { Hono } from 'hono';
import { fileWish, missingOf, tokenizersOf } from '../hub/downloadWishes.js';
import { familyNeeds } from '../hub/needs.js';
import { readSources } from '../hub/sources.js';
import { openStream } from '../live/stream.js';
import { findModels } from '../models/findModels.js';
import { refuseUnknown } from '../nearestName.js';
import { rootOf, wantsPage } from '../request.js';
import type { Trackside } from '../trackside.js';
import { families } from '../trainers/sdScripts/families.js';
import type { ModelsModel } from '../views/modelFiles.js';
import { pageModel } from './home.js';
import { answerChange, readFields, wrongInForm } from './respond.js';

/** What models are here, what each family is missing, and downloads of it. */
export function modelRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { settings, downloads, secrets, hub, views } = trackside;

  async function facts() {
    const found = await findModels(settings);
    // What is on its way stands among the downloads.
    const arriving = new Set(downloads.list().map(({ path }) => join(settings.models, `${path}.incomplete`)));
    const files = found.filter(({ path }) => !arriving.has(path));
    const { sources, wrong } = await readSources(settings.models);
    const needs = await familyNeeds(families, files, settings.models, sources);
    return { folder: settings.models, files, families: needs, wrong_sources: wrong, downloads: downloads.list() };
  }

  async function model(
    root: string,
    found = facts(),
    wrong: Pick<ModelsModel, 'values' | 'errors'> = { values: {}, errors: {} },
  ) {
    const token = secrets.get('HF_TOKEN') !== null;
    return { ...(await pageModel(trackside, root)), ...(await found), downloads: downloads.list(), token, ...wrong };
  }

  routes.get('/models', async (c) => {
    c.header('Vary', 'Accept');
    return wantsPage(c) ? c.html(views.models(await model(rootOf(c)))) : c.json(await facts());
  });

  routes.get('/models/events', (c) => {
    // What is on the disk is looked at again when a download began or ended, not with every byte.
    let seen = '';
    let found = facts();
    return openStream(c, hub, {
      key: 'models',
      concerns: ({ type }) => !['log', 'publication', 'machine', 'outbox', 'pod'].includes(type),
      async draw() {
        const stands = `${downloads.list().map(({ id, status }) => `${id} ${status}`)}`;
        if (stands !== seen) found = facts();
        seen = stands;
        const now = await model('../', found);
        const regions = { ...views.around(now), ...views.modelParts(now) };
        return { title: null, news: views.news(now), regions };
      },
    });
  });

  routes.post('/models/downloads', async (c) => {
    const fields = await readFields(c);
    refuseUnknown(fields, ['family', 'base_model', 'tokenizers', 'repo', 'file', 'folder', 'page']);
    const text = (name: string) => (typeof fields[name] === 'string' ? (fields[name] as string) : '');
    try {
      const wishes = text('family')
        ? await missingOf(settings.models, await facts(), text('family'), text('base_model') || null)
        : text('tokenizers')
          ? await tokenizersOf(settings.models, text('tokenizers'))
          : [await fileWish(settings.models, text('repo'), text('file'), text('folder'))];
      const started = [];
      for (const wish of wishes) started.push(await downloads.start(wish));
      return answerChange(c, { downloads: started }, { page: '../models', status: 201 });
    } catch (error) {
      const { status, ...wrong } = wrongInForm(c, error, fields);
      return c.html(views.models(await model('../', undefined, wrong)), status);
    }
  });

  routes.post('/models/downloads/:id{.+}/tries', async (c) => {
    await downloads.again(c.req.param('id'));
    return answerChange(c, { downloads: downloads.list() }, { page: `${rootOf(c)}models`, status: 202 });
  });

  routes.delete('/models/downloads/:id{.+}', async (c) => {
    await downloads.cancel(c.req.param('id'));
    return answerChange(c, { downloads: downloads.list() }, { page: `${rootOf(c)}models`, status: 200 });
  });

  return routes;
}
