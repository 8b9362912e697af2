import { z } from 'zod';
import { type DescribedRoutes, STREAM } from './described.js';

const facts = z.looseObject({});

/** How people who are elsewhere are told. */
export const notices: DescribedRoutes = {
  'GET /notices': { summary: 'Channels, what they tell, and what was sent', answers: { 200: facts } },
  'GET /notices/events': { summary: 'Follow what is sent', answers: { 200: STREAM } },
  'PATCH /notices': {
    summary: 'Choose what is told, and when',
    body: z.looseObject({}),
    answers: { 200: facts },
  },
  'PUT /notices/channels/:id': {
    summary: 'Set a channel up',
    more: 'Its secrets are never read back.',
    body: z.record(z.string(), z.unknown()),
    answers: { 200: facts },
  },
  'DELETE /notices/channels/:id': { summary: 'Remove a channel', answers: { 200: facts } },
  'POST /notices/channels/:id/test': { summary: 'Send a test', answers: { 200: facts } },
  'POST /notices/sent/:id{.+}/tries': { summary: 'Send a notice again', answers: { 200: facts } },
};
