import { z } from 'zod';
import { copying } from '../../pods/copyCommands.js';
import { publicationFacts } from '../../publish/publish.js';
import { publishFactsShape } from '../../publish/publishFacts.js';
import { attemptFacts, sessionFacts } from '../../sessions/facts.js';
import { fileFacts } from '../../sessions/products/files.js';
import { versionDetail, versionFacts } from '../../sessions/record/history.js';
import { checkpointFacts, sampleFacts, stateFacts } from '../../sessions/savedFacts.js';
import { words } from '../../sessions/versions/edit.js';
import { askedAttempt, askedSample } from '../attempts.js';
import { type DescribedRoutes, type Media, STREAM } from './described.js';
import { metric } from './facts.js';

const search = { q: 'Words that each session has to contain.' };

/** Of a new training: the names of ui_state.json. The trainer's own rules are those of GET /trainers/:id. */
const newSession = z
  .looseObject({
    lora_name: z.string(),
    trainer: z.string().optional().describe('An id of GET /trainers; practice by default.'),
    dataset: z.string().optional().describe('The name of a dataset; a draft may do without.'),
    arguments: z.record(z.string(), z.unknown()).optional().describe('Further flags of the trainer, without dashes.'),
    start: z.boolean().optional().describe('Start it, too.'),
    form_id: z.string().optional().describe('The same id twice makes one session.'),
    description: z.string().optional(),
    notes: z.string().optional(),
  })
  .meta({ id: 'NewSession' });

const finding = z.looseObject({ severity: z.enum(['error', 'warning']), code: z.string(), message: z.string() });

/** Sessions, their attempts, and what they make. */
export const sessions: DescribedRoutes = {
  'GET /': { people: 'The home page; a program asks GET /sessions, which answers the same.' },
  'GET /sessions': {
    summary: 'List sessions: running first, then newest',
    query: search,
    answers: { 200: z.array(sessionFacts) },
  },
  'POST /sessions': {
    summary: 'Make a session',
    more: 'Where its start is refused, the settings are kept in a draft.',
    body: newSession,
    answers: { 201: sessionFacts },
  },
  'GET /sessions/:name': {
    summary: 'Read a session',
    more: 'With its cost in US dollars, so far and until its end, where the price of the pod is known.',
    answers: {
      200: sessionFacts.extend({
        cost: z
          .looseObject({ so_far: z.number(), to_end: z.number().nullable(), to_end_guessed: z.boolean() })
          .nullable(),
      }),
    },
  },
  'PATCH /sessions/:name': {
    summary: 'Change a session’s words; of a draft, its settings too',
    body: words.loose().meta({ id: 'Change' }),
    answers: { 200: sessionFacts },
  },
  'DELETE /sessions/:name': {
    summary: 'Delete a session with its folder; the dataset stays',
    answers: { 200: z.looseObject({ deleted: z.string(), kept: z.array(z.string()) }) },
  },
  'GET /sessions/:name/preflight': {
    summary: 'Check a session before it is started',
    answers: { 200: z.looseObject({ ready: z.boolean(), errors: z.array(finding), warnings: z.array(finding) }) },
  },
  'DELETE /sessions/:name/caches': {
    summary: 'Remove what the trainer caches beside the pictures',
    answers: { 200: z.looseObject({ removed: z.unknown() }) },
  },
  'GET /sessions/:name/events': { summary: 'Follow a session’s page', answers: { 200: STREAM } },

  'GET /sessions/:name/attempts': { summary: 'List attempts', answers: { 200: z.array(attemptFacts) } },
  'POST /sessions/:name/attempts': {
    summary: 'Start, resume, or start over',
    more: 'Answers when the trainer runs; with queue, 202 for a session that waits for a GPU. One that runs already is refused with already_running.',
    body: askedAttempt.meta({ id: 'NewAttempt' }),
    answers: { 201: attemptFacts.extend({ session: sessionFacts }), 202: z.looseObject({ session: sessionFacts }) },
  },
  'GET /sessions/:name/attempts/current': { summary: 'Read the running attempt', answers: { 200: attemptFacts } },
  'DELETE /sessions/:name/attempts/current': {
    summary: 'Stop',
    query: {
      when: 'now (default) or after-save.',
      confirm: 'by-hand, for a training that was started in a terminal, or submitted by hand.',
      process: 'Its process as it was shown, so that no other one is ended.',
      job: 'Its job, likewise.',
    },
    answers: { 202: sessionFacts },
  },
  'POST /sessions/:name/attempts/current/pause': {
    summary: 'Pause',
    more: 'Saves the current step, then ends; a resume goes on with the next step, bit for bit. Refused with cannot_pause where the session’s exact_pause says that the trainer can’t.',
    answers: { 202: sessionFacts },
  },
  'POST /sessions/:name/attempts/current/save': {
    summary: 'Save a state and a checkpoint of the current step',
    answers: { 202: sessionFacts },
  },
  'POST /sessions/:name/attempts/current/sample': {
    summary: 'Draw samples of the current step',
    body: askedSample,
    answers: { 202: sessionFacts },
  },
  'POST /sessions/:name/attempts/current/finish': {
    summary: 'End at the current step, with its weights as the final ones',
    answers: { 202: sessionFacts },
  },
  'DELETE /sessions/:name/attempts/current/stop': {
    summary: 'Take back a stop after the next save',
    answers: { 200: sessionFacts },
  },

  'GET /sessions/:name/metrics': { summary: 'Values that were reported', answers: { 200: z.array(metric) } },
  'GET /sessions/:name/states': { summary: 'List state folders', answers: { 200: z.array(stateFacts) } },
  'GET /sessions/:name/checkpoints': { summary: 'List checkpoints', answers: { 200: z.array(checkpointFacts) } },
  'GET /sessions/:name/checkpoints/:file{.+}': {
    summary: 'Download a checkpoint',
    more: 'Its path is the one in the list. A broken download continues with Range and If-Range.',
    answers: { 200: file('application/octet-stream', 'The weights.') },
  },
  'GET /sessions/:name/files': {
    summary: 'Where a session’s files lie, with sizes, and the lines that copy them from the pod',
    answers: { 200: copying.extend({ files: z.array(fileFacts) }) },
  },
  'GET /sessions/:name/samples': { summary: 'List sample pictures', answers: { 200: z.array(sampleFacts) } },
  'GET /sessions/:name/samples/:file': {
    summary: 'A sample picture',
    query: { size: 'thumb: at most 256 pixels, as WebP.' },
    answers: { 200: file('image/*', 'The picture.') },
  },
  'GET /sessions/:name/samples.zip': {
    summary: 'All sample pictures',
    answers: { 200: file('application/zip', 'The pictures as they are.') },
  },

  'GET /sessions/:name/log': {
    summary: 'The log, as text or as numbered lines',
    more: 'Text without from, lines or search; goes on with Range. JSON with one of them.',
    query: {
      tail: 'Text: so many last lines.',
      attempt: 'Text: only the part of this attempt.',
      download: 'Text: as a download.',
      from: 'JSON: the first line; negative from the end.',
      lines: 'JSON: how many, at most 5,000.',
      search: 'JSON: where these words stand. Ask again while searched is less than bytes: the search goes on.',
      after: 'With search: only lines after this one.',
    },
    answers: { 200: file('*/*', 'text/plain, or application/json.') },
  },
  'GET /sessions/:name/log/landmarks': {
    summary: 'Where attempts, errors and warnings are in the log',
    answers: {
      200: z.looseObject({
        total: z.number(),
        attempts: z.array(z.looseObject({ number: z.number(), line: z.number() })),
        errors: z.array(z.number()),
        warnings: z.array(z.number()),
      }),
    },
  },
  'GET /sessions/:name/log/events': { summary: 'Follow the log', answers: { 200: STREAM } },

  'GET /sessions/:name/charts': {
    summary: 'Curves as they are drawn: thinned, smoothed, with their marks',
    query: {
      axis: 'step (default), epoch, wall or process.',
      from: 'On that axis.',
      to: 'On that axis.',
      points: 'At most so many of a curve.',
      smooth: '0 to 0.999.',
      tags: 'Names, separated by commas.',
      with: 'Other sessions, separated by commas.',
    },
    answers: { 200: z.looseObject({ curves: z.array(z.looseObject({ tag: z.string(), count: z.number() })) }) },
  },
  'GET /sessions/:name/curves.csv': {
    summary: 'All points of the curves',
    query: { from: 'The first step.', to: 'The last step.' },
    answers: { 200: file('text/csv', 'curve, step, value, time, attempt, trained again later') },
  },
  'GET /sessions/:name/samples/events': { summary: 'Follow the samples', answers: { 200: STREAM } },
  'GET /sessions/:name/charts/events': { summary: 'Follow the curves', answers: { 200: STREAM } },

  'GET /sessions/:name/history': {
    summary: 'List earlier copies of the record',
    answers: { 200: z.array(versionFacts) },
  },
  'GET /sessions/:name/history/:version': {
    summary: 'Read one, compared with the present',
    answers: { 200: versionDetail },
  },
  'GET /sessions/:name/history/:version/ui_state.json': {
    summary: 'Read one as the file that it was',
    answers: { 200: { media: 'text/plain', words: 'The text of ui_state.json.' } },
  },
  'POST /sessions/:name/history/:version': { summary: 'Put one back', answers: { 200: sessionFacts } },

  'GET /sessions/:name/publication': {
    summary: 'What can be uploaded to the hub, and how far it is',
    answers: { 200: publishFactsShape.nullable() },
  },
  'POST /sessions/:name/publication': {
    summary: 'Upload to the hub',
    body: z.object({
      repo: z.string().describe('owner/name'),
      visibility: z.enum(['public', 'private']).optional(),
      checkpoints: z.array(z.string()).optional().describe('Paths of checkpoints.'),
      samples: z.boolean().optional(),
    }),
    answers: { 202: publicationFacts },
  },
  'DELETE /sessions/:name/publication': {
    summary: 'Cancel the upload',
    answers: { 200: publishFactsShape.nullable() },
  },
};

function file(media: string, said: string): Media {
  return { media, words: said };
}
