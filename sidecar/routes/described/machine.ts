import { z } from 'zod';
import { check } from '../../doctor/check.js';
import { queue } from '../../launchers/launcher.js';
import { secretFacts } from '../../security/secrets.js';
import { handRunFacts } from '../../sessions/byHandFacts.js';
import { type DescribedRoutes, STREAM } from './described.js';

const download = z
  .looseObject({
    id: z.string(),
    label: z.string(),
    repo: z.string(),
    status: z.string(),
    message: z.string().nullable(),
    path: z.string(),
    bytes_done: z.number(),
    bytes: z.number().nullable(),
    bytes_per_second: z.number().nullable(),
    eta_seconds: z.number().nullable(),
  })
  .meta({ id: 'Download' });
const downloads = z.looseObject({ downloads: z.array(download) });

const trainer = z.looseObject({ id: z.string(), label: z.string(), description: z.string() });

/** The machine, models and trainers, and Trackside itself. */
export const machine: DescribedRoutes = {
  'GET /healthz': {
    summary: 'Does it answer?',
    more: 'Needs no login.',
    answers: { 200: z.looseObject({ status: z.literal('ok'), version: z.string() }) },
  },
  'GET /openapi.json': { summary: 'This description', answers: { 200: z.looseObject({ openapi: z.string() }) } },
  'GET /api': { people: 'This description as a page.' },
  'GET /disk': {
    summary: 'Space for outputs, and folders that can’t be written',
    answers: {
      200: z.looseObject({
        path: z.string(),
        free_bytes: z.number().optional(),
        total_bytes: z.number().optional(),
        writable: z.boolean(),
        troubles: z.array(z.looseObject({ path: z.string(), code: z.string(), message: z.string() })),
      }),
    },
  },
  'GET /machine': {
    summary: 'GPUs, processor, memory and disk, now and in the last ten minutes',
    answers: {
      200: z.looseObject({
        now: z.looseObject({ at: z.number(), gpus: z.array(z.looseObject({ index: z.number() })) }).nullable(),
        history: z.array(z.looseObject({ at: z.number() })),
        no_gpu: z.string().nullable(),
        disk_full_in: z.number().nullable(),
      }),
    },
  },
  'GET /cluster': {
    summary: 'What the cluster offers, and what of it is free',
    more: 'At most 15 s old. `missing` says in words why there is nothing, or why it is not known now.',
    answers: {
      200: z.looseObject({ queues: z.array(queue), missing: z.string().nullable() }),
    },
  },
  'GET /metrics': {
    summary: 'Sessions and the machine for Prometheus',
    answers: { 200: { media: 'text/plain', words: 'The text format 0.0.4.' } },
  },
  'GET /machine/events': { summary: 'Follow the machine', answers: { 200: STREAM } },
  'GET /events': { summary: 'Follow all sessions', query: pageQuery(), answers: { 200: STREAM } },
  'GET /diagnostics': {
    summary: 'Versions, settings, background work and the last lines of the log',
    answers: { 200: z.looseObject({ versions: z.looseObject({}), uptime_seconds: z.number() }) },
  },
  'GET /diagnostics/checks': {
    summary: 'Look for what often goes wrong on pods, and say what to do about it',
    more: 'Takes seconds: torch is imported.',
    query: {
      hub: '1: also ask the model hub.',
      nodes: '1: also run a job of some seconds in each partition of the cluster.',
    },
    answers: { 200: z.array(check) },
  },
  'GET /by-hand': {
    summary: 'List trainings that were started in a terminal, or submitted by hand, and write outside the outputs',
    more: 'One that writes into a session’s folder is that session’s `by_hand`.',
    answers: { 200: z.array(handRunFacts) },
  },
  'DELETE /by-hand/:pid{[0-9]+}': {
    summary: 'End one of them',
    query: { confirm: 'by-hand' },
    answers: { 202: z.unknown() },
  },
  'DELETE /by-hand/jobs/:job': {
    summary: 'End one of them that is a job of the cluster, or take it out of the queue',
    query: { confirm: 'by-hand' },
    answers: { 202: z.unknown() },
  },
  'GET /trainers': { summary: 'List what can be trained', answers: { 200: z.array(trainer) } },
  'GET /trainers/sd-scripts': {
    summary: 'What is installed of sd-scripts, and what is missing',
    answers: { 200: z.looseObject({ path: z.string().nullable(), missing: z.array(z.string()) }) },
  },
  'GET /trainers/:id{.+}': {
    summary: 'A trainer with its settings and flags',
    more: 'An id may contain a slash: sd-scripts/flux.',
    answers: { 200: trainer.extend({ settings: z.array(z.looseObject({ name: z.string() })) }) },
  },
  'GET /models': {
    summary: 'Model files that are here, what each family is missing, and downloads',
    answers: { 200: downloads.extend({ folder: z.string(), files: z.array(z.looseObject({ path: z.string() })) }) },
  },
  'GET /models/events': { summary: 'Follow downloads', answers: { 200: STREAM } },
  'POST /models/downloads': {
    summary: 'Download what a family is missing, or one file',
    body: z.object({
      family: z.string().optional(),
      base_model: z.string().optional(),
      tokenizers: z.string().optional(),
      repo: z.string().optional(),
      file: z.string().optional(),
      folder: z.string().optional(),
    }),
    answers: { 201: downloads },
  },
  'POST /models/downloads/:id{.+}/tries': { summary: 'Try a download again', answers: { 202: downloads } },
  'DELETE /models/downloads/:id{.+}': { summary: 'Cancel a download', answers: { 200: downloads } },
  'GET /secrets': { summary: 'Which tokens of other services are set', answers: { 200: z.array(secretFacts) } },
  'PUT /secrets/:name': {
    summary: 'Set a token',
    more: 'It is never read back.',
    body: z.object({ value: z.string() }),
    answers: { 200: secretFacts },
  },
  'DELETE /secrets/:name': { summary: 'Forget a token', answers: { 200: secretFacts } },
  'GET /assets/:file': { people: 'What pages load.' },
  'GET /manifest.webmanifest': { people: 'What a phone keeps of Trackside among its apps.' },
  'GET /notifier.js': { people: 'Shows notifications.' },
  'POST /looked': { people: 'Dismisses what happened since this browser looked last.' },
  'GET /streams/:id': {
    people: 'The streams of all tabs of a browser in one answer; a program asks for each by itself.',
  },
  'PATCH /streams/:id': { people: 'Changes which tabs it serves.' },
  'GET /new': { people: 'The form of a new training; a program posts to /sessions.' },
  'POST /new': { people: 'The form of a draft; a program sends PATCH /sessions/:name.' },
  'POST /new/hints': { people: 'What the form says while one types.' },
  'GET /login': { people: 'The form for the token; a program sends Authorization: Bearer <token>.' },
  'POST /login': { people: 'The form for the token.' },
  'POST /logout': { people: 'Ends the login of a browser.' },
};

function pageQuery() {
  return {
    home: 'Also what the home page shows.',
    q: 'Its search.',
    page: 'Its page.',
    depth: 'Depth of the page’s address.',
  };
}
