import { z } from 'zod';
import { sessionFacts } from '../../sessions/facts.js';
import { queueChange } from '../../sessions/queue/order.js';
import { askedQueueing } from '../queue.js';
import { type DescribedRoutes, STREAM } from './described.js';

const queue = z.looseObject({ queue: z.array(z.looseObject({ session: z.string(), place: z.number() })) });

/** Sessions that wait for a GPU. */
export const queueing: DescribedRoutes = {
  'GET /queue': { summary: 'List what waits for a GPU, in its order', answers: { 200: queue } },
  'PATCH /queue': {
    summary: 'Change the order, or put a session on hold',
    body: queueChange,
    answers: { 200: queue },
  },
  'GET /queue/events': { summary: 'Follow the queue', answers: { 200: STREAM } },
  'POST /sessions/:name/queue': {
    summary: 'Put a session into the queue',
    body: askedQueueing,
    answers: { 202: sessionFacts },
  },
  'DELETE /sessions/:name/queue': { summary: 'Take a session out of the queue', answers: { 200: sessionFacts } },
};
