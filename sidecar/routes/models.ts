import { basename, join } from 'node:path';
import { Hono } from 'hono';
import { type DownloadRequest, idOf } from '../hub/downloadFacts.js';
import { hubFile } from '../hub/hub.js';
import { familyNeeds } from '../hub/needs.js';
import { type HubSource, hubSource, modelKinds, readSources } from '../hub/sources.js';
import { openStream } from '../live/stream.js';
import { findModels } from '../models/findModels.js';
import { tokenizerRequests } from '../models/tokenizers.js';
import { refuseUnknown } from '../nearestName.js';
import { Problem } from '../problem.js';
import { problemStatus } from '../problemStatus.js';
import { rootOf, wantsPage } from '../request.js';
import type { Trackside } from '../trackside.js';
import { families } from '../trainers/sdScripts/families.js';
import type { ModelsModel } from '../views/modelFiles.js';
import { pageModel } from './home.js';
import { answerChange, readFields } from './respond.js';

/** What models are here, what each family lacks, and downloads of it. */
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
      concerns: ({ type }) => type !== 'log' && type !== 'publication',
      async draw() {
        const stands = downloads
          .list()
          .map(({ id, status }) => `${id} ${status}`)
          .join();
        if (stands !== seen) found = facts();
        seen = stands;
        const now = await model('../', found);
        return { title: null, regions: { banner: views.banner(now), ...views.modelParts(now) } };
      },
    });
  });

  routes.post('/models/downloads', async (c) => {
    const fields = await readFields(c);
    refuseUnknown(fields, ['family', 'base_model', 'tokenizers', 'repo', 'file', 'folder', 'page']);
    const text = (name: string) => (typeof fields[name] === 'string' ? (fields[name] as string) : '');
    try {
      const wishes = text('family')
        ? await missingOf(text('family'), text('base_model') || null)
        : text('tokenizers')
          ? await tokenizersOf(text('tokenizers'))
          : [await fileWish(text('repo'), text('file'), text('folder'))];
      const started = [];
      for (const wish of wishes) started.push(await downloads.start(wish));
      return answerChange(c, { downloads: started }, { page: '../models', status: 201 });
    } catch (error) {
      if (!(error instanceof Problem) || !error.field || !wantsPage(c)) throw error;
      const values = { repo: text('repo'), file: text('file'), folder: text('folder') };
      const page = await model('../', undefined, { values, errors: { [error.field]: error.message } });
      return c.html(views.models(page), problemStatus[error.code]);
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

  /** All that a family lacks and the hub is known to have, for this base model; less what is under way. */
  async function missingOf(id: string, baseModel: string | null): Promise<DownloadRequest[]> {
    const family = (await facts()).families.find((each) => each.id === id);
    if (!family) throw noFamily(id);
    const wanted = family.needs
      .filter(({ missing }) => missing)
      .flatMap(({ role, sources }) => hubSource(sources, role, baseModel) ?? []);
    const all = [...wanted.map(fileRequest), ...(await tokenizersOf(id))];
    const underWay = new Set(
      downloads.list().flatMap(({ status, id: of }) => (status === 'failed' || status === 'done' ? [] : [of])),
    );
    return all.filter((request) => !underWay.has(idOf(request)));
  }

  async function tokenizersOf(id: string): Promise<DownloadRequest[]> {
    const family = families.find((each) => each.id === id);
    if (!family?.needs[0]) throw noFamily(id);
    return tokenizerRequests(settings.models, family.needs[0].role);
  }

  /** A file that is known goes where its kind belongs, any other where it was asked to. */
  async function fileWish(repo: string, file: string, folder: string): Promise<DownloadRequest> {
    const wanted = hubFile(repo, file);
    const { sources } = await readSources(settings.models);
    const known = sources.find((source) => source.repo === wanted.repo && source.file === wanted.file);
    if (known) return fileRequest(known);
    const into = modelKinds.find((each) => each === (folder || 'unet'));
    if (!into) throw new Problem('bad_folder', `Models go to ${modelKinds.join(', ')}.`, { field: 'folder' });
    if (!/\.(safetensors|sft)$/.test(wanted.file)) {
      throw new Problem('bad_file', 'Only .safetensors files are downloaded: nothing else is loaded.', {
        field: 'file',
      });
    }
    return fileRequest({ label: basename(wanted.file), ...wanted, folder: into });
  }

  return routes;
}

function fileRequest({
  label,
  repo,
  file,
  revision,
  folder,
}: Pick<HubSource, 'label' | 'repo' | 'file' | 'revision' | 'folder'>): DownloadRequest {
  const parts = [{ file, path: basename(file), optional: false, etag: null, bytes: null }];
  return { label, repo, revision, into: folder, parts };
}

function noFamily(id: string): Problem {
  return new Problem('no_family', `There is no family “${id}”.`, { about: 'models' });
}
