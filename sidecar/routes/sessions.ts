import { Hono } from 'hono';
import { checkDataset } from '../datasets/check.js';
import { fingerprintDataset } from '../datasets/fingerprint.js';
import { readDataset } from '../datasets/read.js';
import { Problem } from '../problem.js';
import { beginAttempt } from '../sessions/begin.js';
import { checkLoraName, createSession, type NewSession } from '../sessions/create.js';
import { editSession } from '../sessions/edit.js';
import { removeSession } from '../sessions/remove.js';
import { SETTING_NAMES } from '../sessions/uiState.js';
import type { Trackside } from '../trackside.js';
import { checkArguments } from '../trainers/arguments.js';
import { findTrainer } from '../trainers/catalogue.js';
import { readTrainingSettings } from '../trainers/trainingSettings.js';
import { newTrainingPage } from './newTraining.js';
import { readFields, rootOf, wantsPage } from './respond.js';
import { sessionPage } from './sessionPage.js';

/** Sessions: making one, reading it, editing its words, deleting it. Its attempts and files have routes of their own. */
export function sessionRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs } = trackside;

  routes.post('/sessions', async (c) => {
    const fields = await readFields(c);
    try {
      const start = fields.start === true || fields.start === 'true';
      const asked = await readNewSession(trackside, fields, start);
      const { session, existed } = await createSession(outputs, asked);
      const { name } = session;
      const place = `${rootOf(c)}sessions/${encodeURIComponent(name)}`;
      if (existed) {
        if (wantsPage(c)) return c.redirect(place, 303);
        const told = 'This form was sent before; its session exists.';
        throw new Problem('already_made', 409, told, { link: `sessions/${encodeURIComponent(name)}` });
      }
      const begun = start ? await startNew(trackside, name) : session;
      if (wantsPage(c)) return c.redirect(place, 303);
      return c.json(begun.facts, 201, { Location: place });
    } catch (error) {
      if (error instanceof Problem && wantsPage(c)) {
        return c.html(
          await newTrainingPage(trackside, { root: rootOf(c), values: fields, typed: true, problem: error }),
          error.status,
        );
      }
      throw error;
    }
  });

  routes.get('/sessions/:name', async (c) => {
    const name = c.req.param('name');
    if (wantsPage(c)) return c.html(await sessionPage(trackside, name, rootOf(c)));
    return c.json((await outputs.read(name)).facts);
  });

  routes.patch('/sessions/:name', async (c) => {
    const name = c.req.param('name');
    const fields = await readFields(c);
    const session = await editSession(trackside, name, fields);
    const back = fields.page === 'home' ? rootOf(c) || './' : `${rootOf(c)}sessions/${encodeURIComponent(name)}`;
    if (wantsPage(c)) return c.redirect(back, 303);
    return c.json(session.facts);
  });

  routes.delete('/sessions/:name', async (c) => {
    const removed = await removeSession(outputs, c.req.param('name'));
    if (wantsPage(c)) return c.redirect(rootOf(c) || './', 303);
    return c.json(removed);
  });

  return routes;
}

/** A start that can't be made is told on the session's own page: the settings are safe in its draft. */
async function startNew(trackside: Trackside, name: string) {
  return beginAttempt(trackside, name, { kind: 'start' });
}

/** Checks all fields at once, so that one answer names everything that is wrong. */
async function readNewSession(
  trackside: Trackside,
  fields: Record<string, unknown>,
  start: boolean,
): Promise<NewSession> {
  const trainer = findTrainer(trackside.settings, textOf(fields.trainer) || 'practice');
  const wrong: Record<string, string> = {};
  const loraName = textOf(fields.lora_name);
  const collect = <T>(read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      Object.assign(wrong, error.fields ?? { [error.field ?? 'form']: error.message });
      return null;
    }
  };
  collect(() => checkLoraName(loraName));
  const settings = collect(() => readTrainingSettings(trainer.settings, fields));
  const given = (fields.arguments ?? {}) as Record<string, unknown>;
  const known = Object.values(given).some((value) => value !== '') ? await trackside.describe(trainer) : [];
  const further = collect(() => checkArguments(trainer.furtherArguments(known), given));
  const dataset = await readChosenDataset(trackside, textOf(fields.dataset), start).catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error;
    wrong.dataset = error.message;
    return null;
  });
  if (Object.keys(wrong).length > 0 || !settings || !further) {
    throw new Problem('bad_fields', 422, `${Object.values(wrong).join(' ')} Nothing was started.`, { fields: wrong });
  }
  const ours = new Set<string>([
    ...SETTING_NAMES,
    'trainer',
    'dataset',
    'arguments',
    'start',
    'form_id',
    'description',
    'page',
  ]);
  return {
    loraName,
    trainer: trainer.id,
    settings,
    arguments: further,
    dataset,
    description: textOf(fields.description),
    formId: textOf(fields.form_id) || null,
    unknown: Object.fromEntries(Object.entries(fields).filter(([key]) => !ours.has(key))),
  };
}

/** A draft may do without pictures; a start may not. */
async function readChosenDataset(trackside: Trackside, name: string, start: boolean): Promise<NewSession['dataset']> {
  if (!name) {
    if (!start) return null;
    throw new Problem('no_dataset', 422, 'Choose a dataset, or upload pictures to make one.', { field: 'dataset' });
  }
  const detail = await readDataset(trackside.settings.datasets, name);
  const { errors } = checkDataset(detail);
  if (start && errors.length > 0) throw new Problem('bad_dataset', 422, errors.join(' '), { field: 'dataset' });
  const { path, images, captions } = detail;
  return { path, images, captions, fingerprint: fingerprintDataset(detail) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
