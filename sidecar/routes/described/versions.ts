import { z } from 'zod';
import type { DescribedRoutes } from './described.js';
import { session } from './facts.js';

const lora = z.looseObject({ key: z.string(), name: z.string() });
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
    answers: { 200: lora.extend({ versions: z.array(session), chosen: z.string() }) },
  },
  'DELETE /loras/:name/versions/failed': {
    summary: 'Delete the failed versions of a LoRA',
    answers: { 200: z.looseObject({ deleted: z.array(z.string()) }) },
  },
  'GET /history': {
    summary: 'All sessions, 20 a page: searched, filtered and sorted',
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
      baseline: 'The one that the others are compared with.',
      step: 'Of the samples.',
      price: 'Of an hour of the machine.',
    },
    answers: {
      200: z.looseObject({
        baseline: z.string().nullable(),
        sessions: z.array(z.looseObject({})),
        missing: z.array(z.string()),
        settings: z.array(z.looseObject({})),
        samples: z.array(z.looseObject({})),
      }),
    },
  },
  'GET /trash': { summary: 'List deleted sessions', answers: { 200: z.array(trashEntry) } },
  'POST /trash/:name/:entry': { summary: 'Put a deleted session back', answers: { 200: session } },
  'DELETE /trash/:name/:entry': {
    summary: 'Remove a deleted session for good',
    query: { confirm: 'Its name.' },
    answers: { 200: z.looseObject({}) },
  },
};
