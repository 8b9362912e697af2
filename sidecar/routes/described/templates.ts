import { z } from 'zod';
import { sessionFacts } from '../../sessions/facts.js';
import type { DescribedRoutes } from './described.js';

const notTaken = z
  .looseObject({ from: z.string(), value: z.unknown(), why: z.string() })
  .meta({ id: 'NotTaken', description: 'A value of a file that was not taken, with the reason in words.' });

const draft = z
  .looseObject({
    ...{ name: z.string(), lora_name: z.string(), version: z.number(), trainer: z.string().nullable() },
    taken: z.array(z.looseObject({ field: z.string(), value: z.unknown(), from: z.string() })),
    not_taken: z.array(notTaken),
    not_said: z.array(z.string()),
    settings: sessionFacts.shape.settings,
  })
  .meta({ id: 'DraftFromFile' });

const template = z
  .looseObject({
    ...{ key: z.string(), shipped: z.boolean(), name: z.string(), description: z.string(), trainer: z.string() },
    ...{ settings: z.record(z.string(), z.unknown()), arguments: z.record(z.string(), z.unknown()) },
    created_at: z.string(),
  })
  .meta({ id: 'Template' });

const saved = template.extend({ not_taken: z.array(notTaken) });
const FILE = { media: 'application/octet-stream', words: 'The file as it is; or a form with the field file.' };

/** Settings from elsewhere: files of other tools, and named settings. */
export const templates: DescribedRoutes = {
  'POST /drafts/from-file': {
    summary: 'Make a draft from a file of another tool',
    more: 'A LoRA (.safetensors, of which only the header is read), kohya’s TOML and JSON, FluxGym’s train.sh and dataset.toml, ai-toolkit’s YAML. No path, code or secret is taken.',
    query: {
      ...{ name: 'The file’s name: its ending tells the format.', trainer: 'Where the file does not tell it.' },
      ...{ lora_name: 'Instead of the file’s own.', dataset: 'Instead of the file’s own.' },
      ...{ session: 'Instead of a file: a session here,', checkpoint: 'and which of its checkpoints.' },
    },
    body: FILE,
    answers: { 201: draft },
  },
  'GET /templates': { summary: 'List templates, one’s own and the shipped ones', answers: { 200: z.array(template) } },
  'POST /templates': {
    summary: 'Save settings as a template',
    more: 'Of a session, or those that are sent: by their names in ui_state.json, with trainer and arguments.',
    body: z.looseObject({ name: z.string(), session: z.string().optional(), replace: z.boolean().optional() }),
    answers: { 201: saved },
  },
  'POST /templates/import': {
    summary: 'Import a template that was exported',
    query: { name: 'The file’s name.', replace: '1: over one of the same name.' },
    body: FILE,
    answers: { 201: saved },
  },
  'GET /templates/:file{.+\\.json}': {
    summary: 'Export a template: the same bytes each time',
    answers: { 200: { media: 'application/json', words: 'The file.' } },
  },
  'DELETE /templates/:key': { summary: 'Delete a template', answers: { 200: z.looseObject({ removed: z.boolean() }) } },
};
