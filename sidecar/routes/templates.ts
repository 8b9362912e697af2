import { type Context, Hono } from 'hono';
import { isObject } from '../files/exactJson.js';
import { Problem } from '../problem.js';
import { rootOf } from '../request.js';
import { LARGEST_TEMPLATE, saidInTemplate, templateText } from '../sessions/versions/templates/template.js';
import {
  findTemplate,
  importTemplate,
  listTemplates,
  removeTemplate,
  saveTemplate,
} from '../sessions/versions/templates/templates.js';
import type { Trackside } from '../trackside.js';
import { pageModel } from './home.js';
import { receiveFile } from './receiveFile.js';
import { answer, answerChange, attachment, readFields } from './respond.js';
import { flat, nested, withoutDefaults } from './trainerForm.js';

/**
 * Named settings. `POST /templates` saves those of a session (`session`), or of a form; `POST /templates/import` takes the file
 * that `GET /templates/:key.json` gives.
 */
export function templateRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { settings, outputs, views } = trackside;
  const listPage = (c: Context) => `${rootOf(c)}templates`;

  routes.get('/templates', async (c) => {
    const templates = await listTemplates(settings);
    return answer(c, templates, async () => views.templates({ ...(await pageModel(trackside, rootOf(c))), templates }));
  });

  routes.post('/templates', async (c) => {
    const fields = await readFields(c);
    const asked = { ...wordsOf(fields), ...(await valuesOf(fields)), created_at: null };
    const saved = await saveTemplate(trackside, asked);
    return answerChange(c, { ...saved.template, not_taken: saved.not_taken }, { page: listPage(c), status: 201 });
  });

  routes.post('/templates/import', async (c) => {
    const { bytes } = await receiveFile(c, () => LARGEST_TEMPLATE);
    const saved = await importTemplate(trackside, bytes.toString('utf8'), c.req.query('replace') === '1');
    return answerChange(c, { ...saved.template, not_taken: saved.not_taken }, { page: listPage(c), status: 201 });
  });

  routes.get('/templates/:file{.+\\.json}', async (c) => {
    const file = c.req.param('file');
    const template = await findTemplate(settings, file.replace(/\.json$/, ''));
    return c.body(templateText(template), 200, { 'Content-Type': 'application/json', ...attachment(file) });
  });

  routes.delete('/templates/:key', async (c) => {
    await removeTemplate(settings, c.req.param('key'));
    return answerChange(c, { removed: true }, { page: listPage(c) });
  });

  return routes;

  /** Settings of a session, or of the form of a new training. */
  async function valuesOf(fields: Record<string, unknown>) {
    if (fields.session) {
      const { facts } = await outputs.read(String(fields.session));
      if (!facts.trainer) throw new Problem('unknown_trainer', 'Nothing tells which trainer this session needs.');
      const { arguments: flags, ...own } = facts.settings;
      return { trainer: facts.trainer, said: saidInTemplate(own, isObject(flags) ? flags : {}) };
    }
    const typed = fields.shown ? nested(withoutDefaults(trackside, flat(fields))) : fields;
    const { arguments: flags, trainer, ...own } = typed;
    const settingsOfForm = Object.fromEntries(Object.entries(own).filter(([name]) => !NO_SETTINGS.includes(name)));
    return {
      trainer: String(trainer || 'practice'),
      said: saidInTemplate(settingsOfForm, isObject(flags) ? flags : {}),
    };
  }
}

/** The other fields of the forms. */
const NO_SETTINGS = [
  ...['name', 'template', 'description', 'replace', 'session', 'notes', 'form_id', 'shown'],
  ...['kept_as', 'kept_version', 'start', 'queue', 'dataset', 'page'],
];

function wordsOf({ name, template, lora_name, description, replace }: Record<string, unknown>) {
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return {
    name: text(name) || text(template) || text(lora_name),
    description: text(description),
    replace: replace === true || replace === 'true',
  };
}
