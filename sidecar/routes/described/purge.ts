import { z } from 'zod';
import { askedPurge } from '../purge.js';
import type { DescribedRoutes } from './described.js';

const item = z
  .looseObject({
    kind: z.enum(['state', 'samples', 'log', 'cache', 'trash']),
    of: z.string(),
    path: z.string(),
    files: z.array(z.string()),
    bytes: z.number(),
    age_days: z.number(),
    reason: z.string(),
    undo: z.boolean(),
  })
  .meta({ id: 'PurgeItem' });
const why = { reason: z.string() };
const entry = z.looseObject({
  entry: z.string(),
  removed_at: z.string(),
  bytes: z.number(),
  paths: z.array(z.string()),
});
const plan = z.looseObject({
  ...{ days: z.number(), items: z.array(item), bytes: z.number() },
  kept: z.array(z.looseObject({ session: z.string(), ...why })),
  trash: z.array(entry),
  record: z.array(z.looseObject({ at: z.string(), by: z.string(), path: z.string(), bytes: z.number(), ...why })),
});
const done = z.looseObject({
  ...{ entry: z.string().nullable(), items: z.array(item), bytes: z.number() },
  skipped: z.array(z.looseObject({ path: z.string(), ...why })),
});

/** What trainings leave beside their weights, and its removal. */
export const cleanup: DescribedRoutes = {
  'GET /purge': {
    summary: 'What a cleanup would remove, and why',
    query: { days: 'What is older goes.', session: 'Only of this session.' },
    answers: { 200: plan },
  },
  'POST /purge': {
    summary: 'Remove exactly that',
    more: 'It lies in the trash for 7 days; caches, and what leaves a trash, are gone.',
    body: askedPurge,
    answers: { 200: done },
  },
  'GET /purge/trash': { summary: 'What can be put back', answers: { 200: z.array(entry) } },
  'POST /purge/trash/:entry': {
    summary: 'Put back what was removed together',
    answers: { 200: z.looseObject({ back: z.array(z.string()), left: z.array(z.string()) }) },
  },
  'DELETE /purge/trash/:entry': { summary: 'Remove it for good', answers: { 200: entry } },
};
