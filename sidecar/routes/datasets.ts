import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { ifMissing } from '../caught.js';
import { findAlike } from '../datasets/alike.js';
import { convertedWords } from '../datasets/asKept.js';
import { checkDataset } from '../datasets/check.js';
import type { DatasetDetail } from '../datasets/facts.js';
import { makeDataset, removeEmpty } from '../datasets/folder.js';
import { listDatasets, listSkipped } from '../datasets/list.js';
import { datasetNameFrom } from '../datasets/names.js';
import { readDataset } from '../datasets/read.js';
import { receiveShort } from '../datasets/receive.js';
import { listRemoved, listTrash, putDatasetAway } from '../datasets/trash.js';
import { receiveArchive } from '../datasets/uploads/take.js';
import { unfinishedUploads } from '../datasets/uploads/uploads.js';
import { jsonOrNull } from '../files/exactJson.js';
import { Problem } from '../problem.js';
import { problemStatus } from '../problemStatus.js';
import { wantsPage } from '../request.js';
import type { DatasetModel, DatasetsModel } from '../views/datasets.js';
import { uprightWords } from '../views/datasets.js';
import { plural } from '../views/formatting.js';
import type { PageModel } from '../views/frame.js';
import { rulesFor, trainingOf } from '../views/training.js';
import { isForm, takeBody, typeOf } from './body.js';
import { captionRoutes } from './captions.js';
import { type FormUpload, receiveDatasetForm } from './datasetForm.js';
import { pictureRoutes } from './pictures.js';
import { trashRoutes } from './trash.js';
import { uploadRoutes } from './uploads.js';

/** A page's model without what the frame around every page shows. */
type Framed<M> = Omit<M, Exclude<keyof PageModel, 'root'>>;

export type DatasetPages = {
  datasets(model: Framed<DatasetsModel>): string | Promise<string>;
  dataset(model: Framed<DatasetModel>): string | Promise<string>;
};

type Datasets = {
  /** Absolute; it need not exist yet. */
  datasets: string;
  pages: DatasetPages;
  /** The session that trains on a dataset at this moment; null where none does. */
  userOf: (dataset: string) => Promise<string | null>;
};

/**
 * `/datasets`: list, create, read, remove; pictures and captions one raw body each, or many in one form. Throws Problems for
 * the app to answer.
 *
 * @example app.route('/', datasetRoutes({ datasets: settings.datasets, pages, userOf }))
 */
export function datasetRoutes(given: Datasets): Hono {
  const { datasets: root, pages, userOf } = given;
  const routes = new Hono();
  for (const parts of [uploadRoutes(root), pictureRoutes(root), captionRoutes(root), trashRoutes(root)])
    routes.route('/', parts);

  routes.get('/datasets', async (c) => {
    const datasets = await listDatasets(root);
    c.header('Vary', 'Accept');
    if (!wantsPage(c)) return c.json(datasets);
    const [removed, skipped] = await Promise.all([listRemoved(root), listSkipped(root)]);
    const justRemoved = c.req.query('removed') ?? null;
    return c.html(await pages.datasets({ root: '', datasets, removed, justRemoved, skipped, values: {}, errors: {} }));
  });

  routes.post('/datasets', async (c) => {
    const typed: { name?: string } = {};
    try {
      if (typeOf(c) === 'multipart/form-data') return await answerUpload(given, c, await receiveForm(root, c, typed));
      if (typeOf(c) === 'application/zip') return await answerUpload(given, c, await receiveZip(root, c));
      typed.name = await typedName(c);
      const name = datasetNameFrom(typed.name);
      if (!(await makeDataset(root, name))) throw taken(name);
      c.header('Location', `datasets/${encodeURIComponent(name)}`);
      return !wantsPage(c) || typeOf(c) === 'application/json'
        ? c.json(await readDataset(root, name), 201)
        : c.body(null, 303);
    } catch (error) {
      if (!(error instanceof Problem) || error.field !== 'name' || !wantsPage(c) || !isForm(c)) throw error;
      const [datasets, removed] = await Promise.all([listDatasets(root), listRemoved(root)]);
      const model = { root: '', datasets, removed, values: typed, errors: { name: error.message } };
      return c.html(await pages.datasets(model), problemStatus[error.code]);
    }
  });

  routes.get('/datasets/:name', async (c) => {
    const dataset = await readDataset(root, c.req.param('name'));
    const resolution = resolutionIn(c.req.query('resolution'));
    const alike = await findAlike(root, dataset, LOOK_MS);
    c.header('Vary', 'Accept');
    if (!wantsPage(c)) {
      const files = dataset.files.map((image) => ({ ...image, training: trainingOf(image, rulesFor(resolution)) }));
      return c.json({ ...dataset, files, alike, ...checkDataset(dataset) });
    }
    const [unfinished, trash] = await Promise.all([
      unfinishedUploads(root, dataset.name),
      listTrash(root, dataset.name),
    ]);
    const done = doneIn(c.req.query());
    return c.html(await pages.dataset({ root: '../', dataset, unfinished, trash, resolution, alike, ...done }));
  });

  routes.delete('/datasets/:name', async (c) => {
    const name = c.req.param('name');
    const user = await userOf(name);
    if (user !== null) throw inUse(name, user);
    const kept = await putDatasetAway(root, name);
    const message = kept
      ? `${name} was moved to ${kept} in the datasets folder.`
      : `${name} was empty and has been removed.`;
    const list = `../datasets${kept ? `?${new URLSearchParams({ removed: name })}` : ''}`;
    return wantsPage(c) ? c.body(null, 303, { Location: list }) : c.json({ kept, message });
  });

  return routes;
}

/** What a form of the page has just done, as the address tells it. */
function doneIn({
  entry,
  changed,
  undone,
  back,
  upright,
  left,
}: Record<string, string>): Pick<DatasetModel, 'bulk' | 'notice'> {
  if (changed !== undefined) return { bulk: { entry: entry ?? null, changed: Number(changed) || 0 } };
  if (undone !== undefined) return { bulk: { entry: null, undone: Number(undone) || 0 } };
  if (upright !== undefined) return { notice: uprightWords(Number(upright) || 0, Number(left) || 0) };
  return back === undefined ? {} : { notice: `${plural(Number(back) || 0, 'file')} put back.` };
}

/** How long a page waits until all pictures are compared, in ms. */
const LOOK_MS = 1500;
const USUAL_RESOLUTION = 512;

function resolutionIn(asked: string | undefined): number {
  const resolution = Number(asked);
  return Number.isInteger(resolution) && resolution >= 64 && resolution <= 4096 ? resolution : USUAL_RESOLUTION;
}

/** `POST /datasets?name=my-cat` with the archive as its body. */
async function receiveZip(root: string, c: Context): Promise<FormUpload> {
  const name = datasetNameFrom(c.req.query('name') ?? '');
  return takeBody(c, async (chunks) => {
    const created = await makeDataset(root, name);
    let accepted: string[] = [];
    try {
      const taken = await receiveArchive(root, name, `${name}.zip`, chunks);
      accepted = taken.accepted;
      return { name, created, ...taken };
    } finally {
      if (created && accepted.length === 0) await removeEmpty(root, name);
    }
  });
}

async function receiveForm(root: string, c: Context, typed: { name?: string }): Promise<FormUpload> {
  const type = c.req.header('content-type') ?? '';
  return takeBody(c, (chunks) => receiveDatasetForm(root, type, chunks, typed));
}

async function answerUpload({ datasets: root, pages }: Datasets, c: Context, upload: FormUpload): Promise<Response> {
  const { name, created, accepted, converted, notes, refused } = upload;
  const dataset = await readDataset(root, name).catch(ifMissing(null));
  const status = refused.length > 0 && accepted.length === 0 ? 422 : created ? 201 : 200;
  if (!wantsPage(c)) {
    const location = { Location: `datasets/${encodeURIComponent(name)}` };
    return c.json({ dataset, created, accepted, converted, notes, refused }, status, location);
  }
  if (refused.length + notes.length + converted.length === 0)
    return c.redirect(`datasets/${encodeURIComponent(name)}`, 303);
  if (!dataset)
    throw new Problem('not_a_picture', `Nothing was saved. ${refused.map(({ reason }) => reason).join(' ')}`);
  const model = { root: '', dataset, notice: notice(dataset, upload), refused };
  return c.html(pages.dataset(model), refused.length > 0 ? 422 : 200);
}

async function typedName(c: Context): Promise<string> {
  const text = (await takeBody(c, (chunks) => receiveShort(chunks, 'The form', 100_000))).toString();
  if (isForm(c)) return new URLSearchParams(text).get('name') ?? '';
  const parsed = z.object({ name: z.string() }).safeParse(jsonOrNull(text));
  if (parsed.success) return parsed.data.name;
  throw new Problem('bad_request', 'Send {"name": "…"} as JSON, or a form with the field “name”.', { field: 'name' });
}

function inUse(name: string, session: string): Problem {
  const more = { kept: 'Nothing was changed.', todo: 'Stop it first.', about: { session } };
  return new Problem('in_use', `${session} is training on ${name}.`, more);
}

function taken(name: string): Problem {
  const message = `There is already a dataset ${name}; it was left as it is. Choose another name, or open it and add pictures.`;
  return new Problem('name_taken', message, { field: 'name', about: { dataset: name } });
}

function notice(dataset: DatasetDetail, { accepted, converted, notes }: FormUpload): string {
  const saved = accepted.length === 1 ? '1 file was' : `${accepted.length} files were`;
  return [`${saved} saved in ${dataset.name}.`, ...convertedWords(converted.length), ...notes].join(' ');
}
