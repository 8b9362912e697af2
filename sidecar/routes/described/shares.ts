import { z } from 'zod';
import { share } from '../../security/shares.js';
import { shown } from '../../telemetry/progress.js';
import { askedShare } from '../shares.js';
import type { DescribedRoutes } from './described.js';

const link = share.extend({ path: z.string(), url: z.string().nullable() });

const shared = z
  .looseObject({ name: z.string(), lora_name: z.string(), version: z.number(), status: z.string(), progress: shown })
  .meta({ id: 'SharedSession' });

/** Read-only links for colleagues, and what they open. */
export const shares: DescribedRoutes = {
  'GET /shares': { summary: 'List read-only links', answers: { 200: z.array(link) } },
  'POST /shares': {
    summary: 'Make a read-only link, of one session or of one LoRA',
    body: askedShare,
    answers: { 201: link },
  },
  'DELETE /shares/:id': { summary: 'Revoke a link', answers: { 200: share } },
  'GET /shared/:key': {
    summary: 'What a link opens',
    more: 'Needs no login: whoever has the key may see it.',
    answers: { 200: z.looseObject({ expires_at: z.string(), sessions: z.array(shared) }) },
  },
  'GET /shared/:key/:name': {
    summary: 'A session behind a link',
    answers: { 200: shared.extend({ expires_at: z.string(), samples: z.array(z.looseObject({ name: z.string() })) }) },
  },
  'GET /shared/:key/:name/samples/:file': {
    summary: 'A sample picture behind a link',
    query: { size: 'thumb: at most 256 pixels, as WebP.' },
    answers: { 200: { media: 'image/*', words: 'The picture.' } },
  },
};
