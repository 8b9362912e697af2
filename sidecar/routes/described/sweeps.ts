import { z } from 'zod';
import { sweep } from '../../sessions/versions/sweeps/sweep.js';
import type { DescribedRoutes } from './described.js';

const described = sweep.meta({ id: 'Sweep' });

/** Values of one or two settings, each of which becomes a version. */
export const sweeps: DescribedRoutes = {
  'GET /sweeps': { summary: 'List sweeps, newest first', answers: { 200: z.array(described) } },
  'POST /sweeps': {
    summary: 'Queue a version for each combination of values',
    more: 'All are checked before the first is made. {"session": "cat", "values": {"learning_rate": ["1e-4", "2e-4"], "network_dim": [4, 8]}}',
    body: z.looseObject({ session: z.string(), values: z.record(z.string(), z.array(z.unknown())) }),
    answers: { 201: described },
  },
  'GET /sweeps/:id': {
    summary: 'A sweep, with the status, the losses and the newest samples of its versions',
    answers: {
      200: sweep.extend({ cells: z.array(z.looseObject({})), pictures: z.array(z.looseObject({})), done: z.boolean() }),
    },
  },
  'GET /sweeps/:id/vote': {
    summary: 'Begin a blind vote: a word that shuffles the pictures',
    query: { picture: 'The prompt and seed, by the id among the pictures.' },
    answers: { 200: z.looseObject({ order: z.string(), picture: z.string(), count: z.number() }) },
  },
  'GET /sweeps/:id/blind/:picture/:order/:place': {
    summary: 'A picture of a blind vote, by its place',
    answers: { 200: { media: 'image/webp', words: 'The picture, small.' } },
  },
  'POST /sweeps/:id/votes': {
    summary: 'Vote for the picture at a place',
    body: z.looseObject({ picture: z.string(), order: z.string(), place: z.union([z.number(), z.string()]) }),
    answers: { 201: described },
  },
};
