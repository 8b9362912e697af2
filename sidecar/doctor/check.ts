import { z } from 'zod';

/** What one check found. `unknown`: it could not be told here. */
export const check = z
  .object({
    name: z.string(),
    status: z.enum(['ok', 'warning', 'error', 'unknown']),
    /** What was found, in words. */
    found: z.string(),
    /** What to do; null where nothing is wrong. */
    todo: z.string().nullable(),
  })
  .meta({ id: 'Check' });
export type Check = z.infer<typeof check>;

export function ok(name: string, found: string): Check {
  return { name, status: 'ok', found, todo: null };
}

export function warning(name: string, found: string, todo: string): Check {
  return { name, status: 'warning', found, todo };
}

export function error(name: string, found: string, todo: string): Check {
  return { name, status: 'error', found, todo };
}

export function unknown(name: string, found: string): Check {
  return { name, status: 'unknown', found, todo: null };
}
