import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { Hono } from 'hono';
import { listDatasets } from '../datasets/list.js';
import { readDataset } from '../datasets/read.js';
import type { Problem } from '../problem.js';
import type { SessionFacts } from '../sessions/facts.js';
import { nextVersion } from '../sessions/names.js';
import type { Trackside } from '../trackside.js';
import { trainers } from '../trainers/catalogue.js';
import type { TrainerForm } from '../views/pages.js';
import { pageModel } from './home.js';
import { rootOf } from './respond.js';

/** The form of a new training; `?dataset=` chooses one, `?from=` fills in the settings of a session. */
export function newTrainingRoutes(trackside: Trackside): Hono {
  return new Hono().get('/new', async (c) => {
    const from = c.req.query('from');
    const values = from ? valuesOf((await trackside.outputs.read(from)).facts) : {};
    const chosen = Object.fromEntries(
      ['dataset', 'trainer'].flatMap((name) => (c.req.query(name) ? [[name, c.req.query(name)]] : [])),
    );
    const typed = from !== undefined;
    return c.html(await newTrainingPage(trackside, { root: rootOf(c), values: { ...values, ...chosen }, typed }));
  });
}

/** The form with what was typed, and what is wrong with it. */
export async function newTrainingPage(
  trackside: Trackside,
  shown: { root: string; values: Record<string, unknown>; typed: boolean; problem?: Problem },
): Promise<string> {
  const { settings, outputs, views } = trackside;
  const { problem } = shown;
  const values = flat(shown.values);
  const chosen = values.dataset ? await readDataset(settings.datasets, values.dataset).catch(() => null) : null;
  const all = await outputs.list();
  const errors = problem?.fields ?? (problem?.field ? { [problem.field]: problem.message } : {});
  return views.newTraining({
    ...(await pageModel(trackside, shown.root)),
    datasets: await listDatasets(settings.datasets),
    dataset: chosen,
    trainers: await trainerForms(trackside),
    values,
    given: shown.typed,
    errors,
    problem: problem && Object.keys(errors).length === 0 ? { message: problem.message, link: problem.link } : null,
    formId: values.form_id || randomUUID(),
    loras: lorasOf(all),
  });
}

async function trainerForms(trackside: Trackside): Promise<TrainerForm[]> {
  return Promise.all(
    trainers(trackside.settings).map(async (trainer) => {
      const { id, label, description, settings } = trainer;
      // A trainer whose parser can't be asked still has its main settings.
      const known = await trackside.describe(trainer).catch(() => []);
      return { id, label, description, settings, further: trainer.furtherArguments(known) };
    }),
  );
}

function valuesOf(facts: SessionFacts): Record<string, unknown> {
  const { lora_name, trainer, description, settings, dataset_path } = facts;
  return { ...settings, lora_name, trainer, description, ...(dataset_path ? { dataset: basename(dataset_path) } : {}) };
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

function lorasOf(all: readonly SessionFacts[]): { name: string; next: number }[] {
  const folders = all.map((facts) => facts.name);
  const bases = new Set(all.filter((facts) => facts.version === 1).map((facts) => facts.name));
  return [...bases].map((name) => ({ name, next: nextVersion(name, folders) }));
}
