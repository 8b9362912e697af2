import type { Context } from 'hono';
import { wantsPage } from '../request.js';
import { isForm } from './body.js';

/** What became of something in a dataset: facts for a program, for a form the dataset's page, from which it came, with `query`. */
export function answerChange(
  c: Context,
  dataset: string,
  facts: object,
  status: 200 | 201 = 200,
  query = '',
): Response {
  if (wantsPage(c) && isForm(c)) return c.body(null, 303, { Location: `../../${encodeURIComponent(dataset)}${query}` });
  return c.json(facts, status);
}
