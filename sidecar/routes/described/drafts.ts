import { z } from 'zod';
import { change, draftFile } from '../../sessions/drafts/draftFile.js';
import type { DescribedRoutes } from './described.js';

const draft = draftFile.extend({ lora: z.string() }).meta({ id: 'Draft' });
const saved = draft.extend({ taken: z.object({ lora: z.string(), updated_at: z.string() }).optional() });

/** What is being typed into New training. */
export const drafts: DescribedRoutes = {
  'GET /drafts': { summary: 'List drafts, last changed first', answers: { 200: z.array(draft) } },
  'GET /drafts/:lora': { summary: 'Read what is typed for a LoRA', answers: { 200: draft } },
  'PUT /drafts/:lora': {
    summary: 'Save what is typed for a LoRA',
    more: 'All fields, with the version (or If-Match) and the base that they began from: what others typed meanwhile is merged. Where both changed a field, others has the other value.',
    body: change,
    answers: { 200: saved },
  },
  'DELETE /drafts/:lora': {
    summary: 'Clear what is typed for a LoRA',
    answers: { 200: z.object({ lora: z.string(), cleared: z.boolean() }) },
  },
  'POST /drafts/:lora/undo': { summary: 'Put back what was cleared', answers: { 200: draft } },
};
