import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { ifUnreadable } from '../caught.js';
import { inDataset } from '../datasets/folder.js';
import { datasetFacts, listDatasets } from '../datasets/list.js';
import { readDataset } from '../datasets/read.js';
import { Problem } from '../problem.js';
import { problemStatus } from '../problemStatus.js';
import type { SessionFacts } from '../sessions/facts.js';
import { nextVersion } from '../sessions/names.js';
import { isChangeable } from '../sessions/status/queued.js';
import { valuesOf } from '../sessions/versions/asked.js';
import { changeDraft } from '../sessions/versions/edit.js';
import { findTemplate, templateFields } from '../sessions/versions/templates/templates.js';
import type { Trackside } from '../trackside.js';
import { pageModel } from './home.js';
import { readFields } from './respond.js';
import { trainerChoices, withoutDefaults } from './trainerForm.js';

/** The form of a new training: `?dataset=` chooses one, `?from=` fills in the settings of a session, `?template=` those of a template, `?draft=` edits one. */
export function newTrainingRoutes(trackside: Trackside): Hono {
  const { outputs, settings, views } = trackside;
  const routes = new Hono();

  routes.get('/new', async (c) => {
    const { draft: name, from } = c.req.query();
    const source = name || from;
    const facts = source ? (await outputs.read(source)).facts : null;
    if (name && !(facts && isChangeable(facts))) return c.redirect(`sessions/${encodeURIComponent(name)}`, 303);
    const key = c.req.query('template');
    const template = key ? templateFields(await findTemplate(settings, key)) : null;
    const values = { ...(facts && valuesOf(facts)), ...template, ...chosenIn(c) };
    const draft = name ? facts : null;
    const typed = !draft && (facts ?? template) !== null;
    return c.html(await newTrainingPage(trackside, { root: '', values, typed, draft }));
  });

  routes.post('/new', async (c) => {
    const name = c.req.query('draft') ?? '';
    const fields = await readFields(c);
    // Without JavaScript another trainer's fields are shown by this button; nothing is saved.
    if (fields.show) {
      const draft = name ? (await outputs.read(name)).facts : null;
      const values = withoutDefaults(trackside, fields);
      return c.html(await newTrainingPage(trackside, { root: '', values, typed: true, draft }));
    }
    const { facts } = await outputs.read(name);
    try {
      await changeDraft(trackside, name, fields);
      return c.redirect(`sessions/${encodeURIComponent(name)}`, 303);
    } catch (error) {
      if (!(error instanceof Problem) || !isChangeable(facts)) throw error;
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

/** The form with what was typed, and what is wrong with it. */
export async function newTrainingPage(
  trackside: Trackside,
  shown: {
    root: string;
    values: Record<string, unknown>;
    typed: boolean;
    problem?: Problem;
    draft?: SessionFacts | null;
  },
): Promise<string> {
  const { settings, outputs, views } = trackside;
  const { problem, draft } = shown;
  const datasets = await listDatasets(settings.datasets);
  const values = flat(shown.values);
  if (!values.dataset && !shown.typed && datasets.length === 1) values.dataset = datasets[0]?.name ?? '';
  const chosen = values.dataset
    ? await readDataset(settings.datasets, values.dataset).catch(ifUnreadable(null, 'routes'))
    : null;
  const all = await outputs.list();
  const errors = problem?.fields ?? (problem?.field ? { [problem.field]: problem.message } : {});
  return views.newTraining({
    ...(await pageModel(trackside, shown.root)),
    datasets,
    dataset: chosen,
    ...(await trainerChoices(trackside, values)),
    given: shown.typed,
    errors,
    problem: problem && Object.keys(errors).length === 0 ? { message: problem.message, about: problem.about } : null,
    formId: values.form_id || randomUUID(),
    loras: lorasOf(all),
    draft: draft ? { name: draft.name, version: draft.version } : null,
  });
}

/** `{arguments: {network_alpha: 2}}` → `{'arguments.network_alpha': '2'}`; of a list one value a line. */
function flat(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]): [string, string][] => {
      if (value === null || value === undefined) return [];
      if (typeof value !== 'object') return [[key, String(value)]];
      return Object.entries(value).map(([inner, each]) => [
        `${key}.${inner}`,
        Array.isArray(each) ? each.join('\n') : String(each),
      ]);
    }),
  );
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
