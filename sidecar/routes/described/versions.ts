import { z } from 'zod';
import { sessionFacts } from '../../sessions/facts.js';
import type { DescribedRoutes } from './described.js';

const lora = z.looseObject({ key: z.string(), name: z.string() });
const thenAndNow = ['then', 'now'] as const;
const difference = z.looseObject({
  what: z.string(),
  ...Object.fromEntries(thenAndNow.map((name) => [name, z.string()])),
});
const trashEntry = z.looseObject({ name: z.string(), entry: z.string() });

/** LoRAs with their versions, and sessions beside each other. */
export const versions: DescribedRoutes = {
  'GET /loras': {
    summary: 'List LoRAs, each with the names of its versions',
    answers: { 200: z.array(lora.extend({ versions: z.array(z.string()) })) },
  },
  'GET /loras/:name': {
    summary: 'A LoRA with its versions',
    query: { version: 'One of them, by its session, its name or its number.' },
    answers: { 200: lora.extend({ versions: z.array(sessionFacts), chosen: z.string() }) },
  },
  'GET /loras/:name/training_versions.json': {
    summary: 'The versions of a LoRA, in the names of other tools',
    answers: { 200: z.looseObject({ versions: z.array(z.looseObject({})) }) },
  },
  'POST /loras/:name/training_versions.json': {
    summary: 'Make versions from such a file',
    more: 'Those that already exist are skipped; nothing is started.',
    body: z.looseObject({ versions: z.array(z.looseObject({ id: z.string(), name: z.string() })) }),
    answers: { 201: z.looseObject({ created: z.array(z.string()), skipped: z.array(z.string()) }) },
  },
  'GET /sessions/:name/differs': {
    summary: 'What differs today from what a session records',
    answers: { 200: z.array(difference) },
  },
  'GET /sessions/:name/relaunch': { people: 'Before a relaunch: what differs, and where what has moved is now.' },
  'POST /sessions/:name/versions': {
    summary: 'Make the next version with exactly the same settings',
    body: z.looseObject({
      start: z.boolean().optional(),
      queue: z.boolean().optional(),
      gpus: z.string().optional(),
      dataset: z.string().optional(),
      trainer: z.string().optional(),
      arguments: z.record(z.string(), z.string()).optional(),
    }),
    answers: { 201: sessionFacts },
  },
  'GET /sessions/:name/export': {
    summary: 'A session as one file, to import elsewhere',
    answers: { 200: z.looseObject({ training_session: z.looseObject({}), trackside: z.looseObject({}) }) },
  },
  'GET /sessions/:name/report': { people: 'A session as one HTML file, to send to a colleague.' },
  'GET /import': { people: 'Files to import, and the backup.' },
  'POST /sessions/import': {
    summary: 'Make a session from an exported file',
    more: 'Nothing is started. left_out names what Trackside has no setting for.',
    query: { found: 'The name of a file in the outputs folder, in place of a body.' },
    body: z.looseObject({ training_session: z.looseObject({}) }),
    answers: { 201: sessionFacts.extend({ left_out: z.array(z.string()), relaunch: z.string() }) },
  },
  'GET /backup': {
    summary: 'The state files of all sessions',
    answers: { 200: { media: 'application/zip', words: 'Unpacked into an outputs folder, it is restored.' } },
  },
  'DELETE /loras/:name/versions/failed': {
    summary: 'Delete the failed versions of a LoRA',
    answers: { 200: z.looseObject({ deleted: z.array(z.string()) }) },
  },
  'GET /history': {
    summary: 'All sessions, 20 per page: searched, filtered and sorted',
    query: {
      q: 'Words that each has to contain.',
      sort: 'A column; date by default.',
      order: 'asc or desc.',
      from: 'A day: 2026-11-30.',
      to: 'A day.',
      page: 'From 1.',
    },
    answers: {
      200: z.looseObject({
        entries: z.array(z.looseObject({ name: z.string() })),
        total: z.number(),
        pages: z.number(),
      }),
    },
  },
  'GET /compare': {
    summary: 'Sessions side by side: settings that differ, results, curves and samples',
    query: {
      sessions: 'Names, separated by commas.',
      lora: 'All versions of this LoRA.',
      without: 'A name that is left out.',
      baseline: 'The one that the others are compared with.',
      step: 'Of the samples.',
      price: 'Of an hour of the machine; that of the pod by default, where it is known.',
    },
    answers: {
      200: z.looseObject({
        baseline: z.string().nullable(),
        price: z.number().nullable(),
        sessions: z.array(z.looseObject({})),
        missing: z.array(z.string()),
        settings: z.array(z.looseObject({})),
        samples: z.array(z.looseObject({})),
      }),
    },
  },
  'GET /trash': { summary: 'List deleted sessions', answers: { 200: z.array(trashEntry) } },
  'POST /trash/:name/:entry': { summary: 'Put a deleted session back', answers: { 200: sessionFacts } },
  'DELETE /trash/:name/:entry': {
    summary: 'Remove a deleted session for good',
    query: { confirm: '`weights`, where it holds some.' },
    answers: { 200: z.looseObject({}) },
  },
};
