import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { ifUnreadable } from '../caught.js';
import { inDataset } from '../datasets/folder.js';
import { datasetFacts, listDatasets } from '../datasets/list.js';
import { readDataset } from '../datasets/read.js';
import { Problem } from '../problem.js';
import { problemStatus } from '../problemStatus.js';
import {
  draftKey,
  editKey,
  finishDraft,
  isReset,
  listDrafts,
  newDraftKey,
  readDraft,
  saveDraft,
} from '../sessions/drafts/drafts.js';
import type { SessionFacts } from '../sessions/facts.js';
import { nextVersion } from '../sessions/names.js';
import { isChangeable } from '../sessions/status/queued.js';
import { valuesOf } from '../sessions/versions/asked.js';
import { changeDraft } from '../sessions/versions/edit.js';
import { findTemplate, templateFields } from '../sessions/versions/templates/templates.js';
import type { Trackside } from '../trackside.js';
import type { DraftModel } from '../views/draft.js';
import { pageModel } from './home.js';
import { readFields } from './respond.js';
import { flat, trainerChoices, withoutDefaults } from './trainerForm.js';
import { whereModel } from './where.js';

/**
 * The form of a new training: `?dataset=` chooses one, `?from=` fills in the settings of a session,
 * `?template=` those of a template, `?draft=` edits one.
 * `?lora=` goes on with what was typed for a LoRA, and without a query with what was typed last.
 */
export function newTrainingRoutes(trackside: Trackside): Hono {
  const { outputs, settings, views } = trackside;
  const routes = new Hono();

  routes.get('/new', async (c) => {
    const { draft: name, from, lora } = c.req.query();
    const source = name || from;
    const facts = source ? (await outputs.read(source)).facts : null;
    if (name && !(facts && isChangeable(facts))) return c.redirect(`sessions/${encodeURIComponent(name)}`, 303);
    const known = facts ? flat(valuesOf(facts)) : lora && !lora.startsWith('_') ? { lora_name: lora } : {};
    const key = c.req.query('template');
    const template = key ? flat(templateFields(await findTemplate(settings, key))) : {};
    const start = { ...known, ...template, ...chosenIn(c) };
    const kept = await keptOf(settings.outputs, c.req.query(), start);
    const values = { ...start, ...kept.draft?.fields, ...chosenIn(c) };
    return c.html(await newTrainingPage(trackside, { root: '', values, kept, draft: name ? facts : null }));
  });

  routes.post('/new', async (c) => {
    const name = c.req.query('draft') ?? '';
    const fields = await readFields(c);
    const facts = name ? (await outputs.read(name)).facts : null;
    // Without JavaScript another trainer's fields are shown by a button, and what was typed is kept by another.
    if (fields.keep) return c.redirect(await keep(trackside, fields), 303);
    if (fields.show) {
      const values = withoutDefaults(trackside, flat(fields));
      return c.html(await newTrainingPage(trackside, { root: '', values, typed: true, draft: facts }));
    }
    try {
      await changeDraft(trackside, name, fields);
      await finishDraft(settings.outputs, editKey(name), textOf(fields.form_id));
      return c.redirect(`sessions/${encodeURIComponent(name)}`, 303);
    } catch (error) {
      if (!(error instanceof Problem) || !facts || !isChangeable(facts)) throw error;
      const shown = { root: '', values: { ...valuesOf(facts), ...fields }, typed: true, draft: facts };
      return c.html(await newTrainingPage(trackside, { ...shown, problem: error }), problemStatus[error.code]);
    }
  });

  // Asked for while values are typed. Nothing is kept of them, so a token that was pasted in is refused only when it is saved.
  routes.post('/new/hints', async (c) => {
    const values = flat(await readFields(c, { secret: true }));
    const dataset = values.dataset
      ? await inDataset(settings.datasets, values.dataset, datasetFacts).catch(ifUnreadable(null, 'routes'))
      : null;
    const loras = lorasOf(await outputs.list());
    const isDraft = c.req.query('draft') !== undefined;
    return c.html(views.newTrainingHints({ values, images: dataset?.facts.images ?? 0, loras, isDraft }));
  });

  return routes;
}

/** What the address of the form chooses. */
function chosenIn(c: Context): Record<string, string> {
  const names = ['dataset', 'trainer', 'base_model', 'vram', 'lora_name', 'concept_sentence'];
  return Object.fromEntries(names.flatMap((name) => (c.req.query(name) ? [[name, c.req.query(name) ?? '']] : [])));
}

/** What is kept of the form at an address. `start`: what it begins with where nothing is kept. */
async function keptOf(
  outputs: string,
  query: Record<string, string | undefined>,
  start: Record<string, string>,
): Promise<DraftModel> {
  const all = await listDrafts(outputs);
  const [newest] = all;
  const last = Object.keys(query).length === 0 ? newest?.lora : undefined;
  const wanted = query.draft ? editKey(query.draft) : (query.lora && draftKey(query.lora)) || last;
  const key = wanted ?? newDraftKey();
  const cleared = query.reset && (await isReset(outputs, query.reset)) ? query.reset : null;
  const draft = wanted ? await readDraft(outputs, wanted) : null;
  return { key, draft, start, cleared, others: query.draft ? [] : all.filter(({ lora }) => lora !== key) };
}

/** Keeps a form that was sent for later; the address where it goes on. */
async function keep(trackside: Trackside, sent: Record<string, unknown>): Promise<string> {
  const {
    form_id,
    kept_as,
    kept_version,
    keep: _,
    queue: __,
    shown,
    ...typed
  } = withoutDefaults(trackside, flat(sent));
  const draft = await saveDraft(trackside.settings.outputs, kept_as || newDraftKey(), {
    fields: typed,
    version: Number(kept_version) || 0,
  });
  return `new?${new URLSearchParams({ lora: draft.lora })}`;
}

/** The form with what was typed, and what is wrong with it. `typed`: it was sent, and chose its pictures. */
export async function newTrainingPage(
  trackside: Trackside,
  shown: {
    root: string;
    values: Record<string, unknown>;
    typed?: boolean;
    kept?: DraftModel;
    problem?: Problem;
    draft?: SessionFacts | null;
  },
): Promise<string> {
  const { settings, outputs, views } = trackside;
  const { problem, draft } = shown;
  const datasets = await listDatasets(settings.datasets);
  const { kept_as, ...values } = flat(shown.values);
  if (values.dataset === undefined && !shown.typed && datasets.length === 1) values.dataset = datasets[0]?.name ?? '';
  const chosen = values.dataset
    ? await readDataset(settings.datasets, values.dataset).catch(ifUnreadable(null, 'routes'))
    : null;
  const all = await outputs.list();
  const errors = problem?.fields ?? (problem?.field ? { [problem.field]: problem.message } : {});
  const sentAs = draft ? { draft: draft.name } : { lora: kept_as ?? newDraftKey() };
  return views.newTraining({
    ...(await pageModel(trackside, shown.root)),
    datasets,
    dataset: chosen,
    ...(await trainerChoices(trackside, values)),
    errors,
    problem: problem && Object.keys(errors).length === 0 ? { message: problem.message, about: problem.about } : null,
    formId: values.form_id || randomUUID(),
    loras: lorasOf(all),
    draft: draft ? { name: draft.name, version: draft.version } : null,
    where: await whereModel(settings, values.launcher),
    kept: shown.kept ?? (await keptOf(settings.outputs, sentAs, values)),
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** By folder: `My Cat` and `my cat!` are the same LoRA, called as its newest version is. */
function lorasOf(all: readonly SessionFacts[]): { name: string; folder: string; next: number }[] {
  const folders = all.map((facts) => facts.name);
  const names = new Map<string, string>();
  for (const { name, lora_name, version } of all) {
    const base = version > 1 ? name.replace(/-v\d+$/, '') : name;
    if (!names.has(base)) names.set(base, lora_name);
  }
  return [...names].map(([folder, name]) => ({ name, folder, next: nextVersion(folder, folders) }));
}
