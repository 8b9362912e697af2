import { within } from '../../caught.js';
import { memoForTime } from '../../files/memoForTime.js';
import type { Offers, Queue } from '../launcher.js';
import { controllerAnswers, runClient } from './commands.js';
import { readQueues, SHOW_PARTITIONS, SINFO } from './offersText.js';

/** Of a cluster with hundreds of users, these are two questions a quarter of a minute at most. */
const FRESH_MS = 15_000;
/** Seconds. */
const PATIENCE = 10;

const kept = memoForTime<Promise<Offers>>(FRESH_MS);
/** As of the last answer: what can be chosen is still known while the controller is down. */
let known: readonly Queue[] = [];
let last: Offers | null = null;

/**
 * Partitions of the cluster, with their nodes and what is free. Asked at most every 15 s, however many wait for it; while the
 * controller does not answer, `missing` says so, and the partitions are those of before. Takes seconds where it is slow:
 * a page waits a moment for it (see `offersSoon`). Never rejects.
 */
export function readOffers(): Promise<Offers> {
  return kept('', async () => (last = await ask()));
}

async function ask(): Promise<Offers> {
  const down = (missing: string): Offers => ({ gpus: [], missing, queues: known });
  if (!(await controllerAnswers()))
    return down('Slurm’s controller does not answer. Until it does, it is not known what is free.');
  const [partitions, nodes] = await Promise.all([
    runClient('scontrol', SHOW_PARTITIONS, { patience: PATIENCE }),
    runClient('sinfo', SINFO, { patience: PATIENCE }),
  ]);
  const failed = [partitions, nodes].find(({ code }) => code !== 0);
  if (failed) return down(`Slurm does not say what is free: ${failed.err.trim().split('\n').at(-1) || 'no answer'}.`);
  known = readQueues(partitions.out, nodes.out);
  const missing = known.length > 0 ? null : 'Slurm shows you no partition that is up.';
  return { gpus: [], missing, queues: known };
}

/** As `readOffers`, but answers within `ms` what was known before. */
export async function offersSoon(ms: number): Promise<Offers> {
  return within(ms, readOffers(), () => last ?? { gpus: [], missing: 'The cluster is being asked.', queues: known });
}
