import { Readable } from 'node:stream';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { LONGEST_CAPTION, saveCaption } from '../datasets/caption.js';
import { checkDataset } from '../datasets/check.js';
import type { DatasetDetail } from '../datasets/facts.js';
import { makeDataset, type OpenPicture, openPicture } from '../datasets/folder.js';
import { listDatasets } from '../datasets/list.js';
import { datasetNameFrom } from '../datasets/names.js';
import { revisionOf } from '../datasets/picture.js';
import { PictureProblem } from '../datasets/pictureProblem.js';
import { readDataset } from '../datasets/read.js';
import { LARGEST_PICTURE, receiveShort, tooLarge } from '../datasets/receive.js';
import { removePicture, savePicture } from '../datasets/savePicture.js';
import { thumbnail } from '../datasets/thumbnails.js';
import { listRemoved, listTrash, putDatasetAway, restoreFromTrash } from '../datasets/trash.js';
import { receiveArchive } from '../datasets/uploads/take.js';
import { unfinishedUploads } from '../datasets/uploads/uploads.js';
import { Problem } from '../problem.js';
import { problemStatus } from '../problemStatus.js';
import type { DatasetModel, DatasetsModel } from '../views/datasets.js';
import type { PageModel } from '../views/frame.js';
import { takeBody } from './body.js';
import { type FormUpload, receiveDatasetForm } from './datasetForm.js';
import { uploadRoutes } from './uploads.js';

/** A page's model without what the frame around every page shows. */
type Framed<M> = Omit<M, Exclude<keyof PageModel, 'root'>>;

export type DatasetPages = {
  datasets(model: Framed<DatasetsModel>): string | Promise<string>;
  dataset(model: Framed<DatasetModel>): string | Promise<string>;
};

/**
 * `/datasets`: list, create, read; pictures and captions one raw body each, or many in one form. Throws Problems for the app
 * to answer.
 *
 * @example app.route('/', datasetRoutes({ datasets: settings.datasets, wantsJson, pages, userOf }))
 * @param datasets the absolute path of the datasets; it need not exist yet
 * @param userOf which session trains on a dataset at this moment; null where none does
 */
export function datasetRoutes(given: {
  datasets: string;
  wantsJson: (c: Context) => boolean;
  pages: DatasetPages;
  userOf: (dataset: string) => Promise<string | null>;
}): Hono {
  const { datasets: root, wantsJson, pages, userOf } = given;
  const routes = new Hono();
  routes.route('/', uploadRoutes({ datasets: root }));

  routes.get('/datasets', async (c) => {
    const datasets = await listDatasets(root);
    c.header('Vary', 'Accept');
    if (wantsJson(c)) return c.json(datasets);
    return c.html(
      await pages.datasets({ root: '', datasets, removed: await listRemoved(root), values: {}, errors: {} }),
    );
  });

  routes.post('/datasets', async (c) => {
    const typed: { name?: string } = {};
    try {
      if (typeOf(c) === 'multipart/form-data') return await answerUpload(c, await receiveForm(c, typed));
      if (typeOf(c) === 'application/zip') return await answerUpload(c, await receiveZip(c));
      typed.name = await typedName(c);
      const name = datasetNameFrom(typed.name);
      if (!(await makeDataset(root, name))) throw taken(name);
      c.header('Location', `datasets/${encodeURIComponent(name)}`);
      return wantsJson(c) || typeOf(c) === 'application/json'
        ? c.json(await readDataset(root, name), 201)
        : c.body(null, 303);
    } catch (error) {
      if (!(error instanceof Problem) || error.field !== 'name' || wantsJson(c) || !isForm(c)) throw error;
      const [datasets, removed] = await Promise.all([listDatasets(root), listRemoved(root)]);
      const model = { root: '', datasets, removed, values: typed, errors: { name: error.message } };
      return c.html(await pages.datasets(model), problemStatus[error.code]);
    }
  });

  routes.get('/datasets/:name', async (c) => {
    const dataset = await readDataset(root, c.req.param('name'));
    c.header('Vary', 'Accept');
    if (wantsJson(c)) return c.json({ ...dataset, ...checkDataset(dataset) });
    const [unfinished, trash] = await Promise.all([
      unfinishedUploads(root, dataset.name),
      listTrash(root, dataset.name),
    ]);
    return c.html(await pages.dataset({ root: '../', dataset, unfinished, trash }));
  });

  routes.delete('/datasets/:name', async (c) => {
    const name = c.req.param('name');
    const user = await userOf(name);
    if (user !== null) throw inUse(name, user);
    const kept = await putDatasetAway(root, name);
    const message = kept ? `${name} was moved to ${kept} in the datasets folder.` : `${name} was empty and is removed.`;
    return wantsJson(c) ? c.json({ kept, message }) : c.body(null, 303, { Location: '../datasets' });
  });

  routes.get('/datasets/:name/images/:file', async (c) => {
    const { name, file } = c.req.param();
    return answerPicture(c, file, await openPicture(root, name, file));
  });

  routes.put('/datasets/:name/images/:file', async (c) => {
    const { name, file } = c.req.param();
    if (Number(c.req.header('content-length')) > LARGEST_PICTURE) throw tooLarge(file, LARGEST_PICTURE);
    const saved = await takeBody(c, (chunks) => savePicture(root, name, file, chunks));
    return answerChange(c, name, saved, saved.created ? 201 : 200);
  });

  routes.delete('/datasets/:name/images/:file', async (c) => {
    const { name, file } = c.req.param();
    const { kept, files } = await removePicture(root, name, file);
    const message = `${files.join(' and ')} ${files.length > 1 ? 'were' : 'was'} moved to ${kept} in the datasets folder.`;
    return answerChange(c, name, { kept, files, message }, 200);
  });

  routes.put('/datasets/:name/captions/:stem', async (c) => {
    const { name, stem } = c.req.param();
    const body = await takeBody(c, (chunks) => receiveShort(chunks, `${stem}.txt`, LONGEST_CAPTION));
    const saved = await saveCaption(root, name, stem, isForm(c) ? captionField(c, body) : body, 'edit');
    return answerChange(c, name, saved, saved.outcome === 'created' ? 201 : 200);
  });

  routes.get('/datasets/:name/trash', async (c) => c.json(await listTrash(root, c.req.param('name'))));

  /** Posted to, it is put back. */
  routes.post('/datasets/:name/trash/:entry', async (c) => {
    const { name, entry } = c.req.param();
    const { files, kept } = await restoreFromTrash(root, name, entry);
    const away = kept ? ` What was there instead is in ${kept}.` : '';
    return answerChange(c, name, { files, kept, message: `${files.join(', ')} put back.${away}` }, 200);
  });

  /** Facts for programs; for a form the page it came from. */
  async function answerChange(c: Context, name: string, facts: object, status: 200 | 201): Promise<Response> {
    if (wantsJson(c)) return c.json(facts, status);
    if (isForm(c)) return c.body(null, 303, { Location: `../../${encodeURIComponent(name)}` });
    return c.json(facts, status);
  }

  /** `POST /datasets?name=my-cat` with the archive as its body. */
  async function receiveZip(c: Context): Promise<FormUpload> {
    const name = datasetNameFrom(c.req.query('name') ?? '');
    return takeBody(c, async (chunks) => {
      const created = await makeDataset(root, name);
      return { name, created, ...(await receiveArchive(root, name, `${name}.zip`, chunks)) };
    });
  }

  async function receiveForm(c: Context, typed: { name?: string }): Promise<FormUpload> {
    const type = c.req.header('content-type') ?? '';
    return takeBody(c, (chunks) => receiveDatasetForm(root, type, chunks, typed));
  }

  async function answerUpload(c: Context, upload: FormUpload): Promise<Response> {
    const { name, created, accepted, notes, refused } = upload;
    const dataset = await readDataset(root, name);
    const status = refused.length > 0 && accepted.length === 0 ? 422 : created ? 201 : 200;
    if (wantsJson(c)) {
      const location = { Location: `datasets/${encodeURIComponent(name)}` };
      return c.json({ dataset, created, accepted, notes, refused }, status, location);
    }
    if (refused.length + notes.length === 0) return c.redirect(`datasets/${encodeURIComponent(name)}`, 303);
    const model = { root: '', dataset, notice: notice(dataset, upload), refused };
    return c.html(pages.dataset(model), refused.length > 0 ? 422 : 200);
  }

  return routes;
}

/** The picture or, with `?size=thumb`, its thumbnail; for ever cacheable at an address that holds its revision. */
async function answerPicture(c: Context, file: string, picture: OpenPicture): Promise<Response> {
  const revision = revisionOf(picture);
  let streaming = false;
  try {
    const preview = c.req.query('size') === 'thumb' ? await thumbnail(picture.file, picture.path, revision) : null;
    const tag = `"${revision}${preview ? '-thumb' : ''}"`;
    const current = c.req.query('revision') === revision;
    c.header('ETag', tag);
    c.header('Cache-Control', current ? 'private, max-age=31536000, immutable' : 'private, no-cache');
    c.header('X-Content-Type-Options', 'nosniff');
    if (c.req.header('if-none-match') === tag) return c.body(null, 304);
    c.header('Content-Type', preview ? 'image/webp' : typeByEnding(file));
    c.header('Content-Length', `${preview?.length ?? picture.bytes}`);
    if (preview) return c.body(new Uint8Array(preview));
    if (c.req.method === 'HEAD') return c.body(null);
    streaming = true;
    return c.body(Readable.toWeb(picture.handle.createReadStream()) as ReadableStream);
  } catch (error) {
    if (!(error instanceof PictureProblem)) throw error;
    throw new Problem('not_decodable', `${file} can't be shown: ${error.message}`);
  } finally {
    if (!streaming) await picture.handle.close();
  }
}

async function typedName(c: Context): Promise<string> {
  const text = (await takeBody(c, (chunks) => receiveShort(chunks, 'The form', 100_000))).toString();
  if (isForm(c)) return new URLSearchParams(text).get('name') ?? '';
  const parsed = z.object({ name: z.string() }).safeParse(parseJson(text));
  if (parsed.success) return parsed.data.name;
  throw new Problem('bad_request', 'Send {"name": "…"} as JSON, or a form with the field “name”.', {
    field: 'name',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function inUse(name: string, session: string): Problem {
  const message = `${session} is training on ${name}.`;
  return new Problem('in_use', message, {
    kept: 'Nothing was changed.',
    todo: 'Stop it first.',
    about: { session: session },
  });
}

function taken(name: string): Problem {
  const message = `There is a dataset ${name} already; it was left as it is. Choose another name, or open it and add pictures.`;
  return new Problem('name_taken', message, { field: 'name', about: { dataset: name } });
}

/** The field of a form, whose lines browsers end with CR and LF. */
function captionField(c: Context, body: Buffer): Buffer {
  const caption = typeOf(c) === 'multipart/form-data' ? null : new URLSearchParams(body.toString()).get('caption');
  if (caption !== null) return Buffer.from(caption.replace(/\r\n/g, '\n'));
  throw new Problem('bad_request', 'Send the caption as text/plain, or as the field “caption” of a plain form.');
}

function notice(dataset: DatasetDetail, { accepted, notes }: FormUpload): string {
  const saved = accepted.length === 1 ? '1 file was' : `${accepted.length} files were`;
  return [`${saved} saved in ${dataset.name}.`, ...notes].join(' ');
}

function isForm(c: Context): boolean {
  return ['application/x-www-form-urlencoded', 'multipart/form-data'].includes(typeOf(c));
}

function typeOf(c: Context): string {
  return (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** Never what the content claims to be. */
function typeByEnding(file: string): string {
  const ending = file.slice(file.lastIndexOf('.') + 1).toLowerCase();
  return `image/${ending === 'jpg' ? 'jpeg' : ending}`;
}
