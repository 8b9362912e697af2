import { z } from 'zod';
import { problemStatus } from '../../problemStatus.js';
import type { MetricPoint } from '../../sessions/products/curve.js';

export const metric = z
  .looseObject({
    ...{ tag: z.string(), step: z.number(), value: z.number().nullable() },
    ...{ attempt: z.number(), wall_time: z.number() },
  })
  .meta({ id: 'Metric' }) satisfies z.ZodType<Omit<MetricPoint, 'value'> & { value: number | null }>;

/** Codes of the login, which are no Problems: a stranger is told nothing more. */
const LOGIN_CODES = { login_needed: 401, wrong_token: 401, too_many: 429 } as const;

/** Every code of an error with its status, in the order of the statuses. */
export const errorCodes: [code: string, status: number][] = Object.entries({ ...problemStatus, ...LOGIN_CODES }).sort(
  ([code, status], [other, its]) => status - its || (code < other ? -1 : 1),
);

export const refusal = z
  .looseObject({
    error: z.looseObject({
      code: z.enum(errorCodes.map(([code]) => code)),
      message: z.string().describe('A sentence for people: what happened, what was not lost, what to do.'),
      field: z.string().optional().describe('The field that it is about.'),
      fields: z
        .record(z.string(), z.string())
        .optional()
        .describe('A sentence for each field, where several are wrong.'),
      after_name: z.string().optional().describe('The message without the name of the file at its beginning.'),
      link: z.string().optional().describe('The address of what it is about.'),
    }),
  })
  .meta({ id: 'Error' });
