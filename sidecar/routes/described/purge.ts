import { z } from 'zod';
import { purged, purgePlan, purgeRecord, trashFacts } from '../../sessions/retention/facts.js';
import { askedPurge } from '../purge.js';
import type { DescribedRoutes } from './described.js';

/** What trainings leave beside their weights, and its removal. */
export const cleanup: DescribedRoutes = {
  'GET /purge': {
    summary: 'What a cleanup would remove, and why',
    query: { days: 'What is older goes.', session: 'Only of this session.' },
    answers: { 200: purgePlan.extend({ trash: z.array(trashFacts), record: z.array(purgeRecord) }) },
  },
  'POST /purge': {
    summary: 'Remove exactly that',
    more: 'It stays in the trash for 7 days; caches, and what is removed from a trash, are gone.',
    body: askedPurge,
    answers: { 200: purged },
  },
  'GET /purge/trash': { summary: 'What can be put back', answers: { 200: z.array(trashFacts) } },
  'POST /purge/trash/:entry': {
    summary: 'Put back what was removed together',
    answers: { 200: z.looseObject({ back: z.array(z.string()), left: z.array(z.string()) }) },
  },
  'DELETE /purge/trash/:entry': { summary: 'Remove it for good', answers: { 200: trashFacts } },
};
