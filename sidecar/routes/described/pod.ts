import { z } from 'zod';
import { type DescribedRoutes, STREAM } from './described.js';

const money = z.number().nullable();

const facts = z
  .looseObject({
    price: money,
    since: z.string(),
    spent: z.number(),
    seconds: z.number(),
    provider: z.looseObject({ id: z.string(), name: z.string() }).nullable(),
    missing: z.string().nullable(),
    stop: z.looseObject({ phase: z.string(), seconds: z.number().nullable(), why: z.string().nullable() }),
    sessions: z.array(
      z.looseObject({ name: z.string(), so_far: z.number(), to_end: money, to_end_guessed: z.boolean() }),
    ),
  })
  .meta({ id: 'Pod' });

/** What the pod costs, and that it stops by itself. */
export const pod: DescribedRoutes = {
  'GET /pod': {
    summary: 'What the pod and its trainings cost, in US dollars, and whether it stops by itself',
    answers: { 200: facts },
  },
  'GET /pod/events': { summary: 'Follow the meter and the countdown', answers: { 200: STREAM } },
  'PATCH /pod': {
    summary: 'Set the price, the spending limit, and how the pod stops',
    more: 'A key is never read back.',
    body: z.looseObject({}),
    answers: { 200: facts },
  },
  'DELETE /pod/spending': { summary: 'Count the spending from nothing', answers: { 200: facts } },
  'DELETE /pod/stop': { summary: 'Keep the pod running until another training has ended', answers: { 200: facts } },
  'POST /pod/stop': { summary: 'Count down again', answers: { 200: facts } },
  'GET /pod/cancel/:ticket': { people: 'The page behind the one-time address of a notice.' },
  'POST /pod/cancel/:ticket': {
    summary: 'Keep the pod running, by the one-time address of a notice',
    more: 'Needs no login: whoever has the address may do it.',
    answers: { 200: z.looseObject({ cancelled: z.boolean() }) },
  },
};
