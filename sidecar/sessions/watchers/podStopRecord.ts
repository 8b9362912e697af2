import { join } from 'node:path';
import { z } from 'zod';
import { readJsonNow } from '../../files/jsonFile.js';
import { writePrivate } from '../../files/privateFile.js';

const schema = z.object({
  /** The end of the last training that this is about (its attempt), or ''. */
  after: z.string().default(''),
  /** What became of it: for the next sidecar, which must not count down again after a cancellation or a failure. */
  outcome: z.enum(['none', 'cancelled', 'stopped', 'failed']).default('none'),
  /** Why it failed, in words. */
  problem: z.string().nullable().default(null),
  /** The one-time word of the address that cancels it. */
  ticket: z.string().default(''),
  /** What was uploaded, by path: its size and time. */
  uploaded: z.record(z.string(), z.string()).default({}),
});

export type PodStopRecord = z.infer<typeof schema>;

const FILE = 'pod-stop.json';
/** Bytes. */
const LARGEST = 1_000_000;

/** What outlives a sidecar of the stopping of a pod, in the private folder. */
export function openPodStopRecord(folder: string) {
  const path = join(folder, FILE);
  let now = readJsonNow(path, LARGEST, schema, schema.parse({}), 'pod');
  return {
    now: () => now,
    async set(changes: Partial<PodStopRecord>): Promise<void> {
      now = { ...now, ...changes };
      await writePrivate(path, `${JSON.stringify(now, null, 2)}\n`);
    },
  };
}
