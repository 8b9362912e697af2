import { z } from 'zod';
import { shown } from '../telemetry/progress.js';

/**
 * A job on the cluster that somebody submitted by hand. `waits`: why, in words, and its place in the queue, from 1; null once it
 * runs.
 */
export const handJobFacts = z.object({
  id: z.string(),
  hosts: z.array(z.string()),
  waits: z.object({ reason: z.string(), place: z.number().nullable() }).nullable(),
});
export type HandJobFacts = z.infer<typeof handJobFacts>;

/** A training that was started in a terminal, or submitted by hand, and writes outside the outputs folder. */
export const handRunFacts = z
  .object({
    /** Its `--output_name`, else the name of its folder. */
    name: z.string(),
    /** `pending` while its job waits. */
    status: z.enum(['pending', 'running', 'stopping']),
    output_dir: z.string(),
    output_name: z.string().nullable(),
    /** "flux_train_network.py" */
    script: z.string(),
    /** Of its topmost process: launcher or trainer; null for a job. */
    pid: z.number().nullable(),
    job: handJobFacts.nullable(),
    since: z.string(),
    progress: shown,
    /** The attempt's id, when Trackside began it, and its folder is not where it was; else null. */
    attempt: z.string().nullable(),
  })
  .meta({ id: 'HandRun' });
export type HandRunFacts = z.infer<typeof handRunFacts>;
