import { join } from 'node:path';
import { z } from 'zod';
import { logged, repeatedly } from '../caught.js';
import { readJsonNow } from '../files/jsonFile.js';
import { writePrivate } from '../files/privateFile.js';
import { podSeconds } from './podUptime.js';

/** US dollars since a moment (ISO 8601), and the seconds that were counted. */
const ledger = z.object({ since: z.string(), spent: z.number().min(0), seconds: z.number().min(0), at: z.string() });
type Ledger = z.infer<typeof ledger>;

const FILE = 'spending.json';
/** Bytes. */
const LARGEST = 5000;
const TICK_MS = 1000;
const KEEP_MS = 60_000;
/** The most seconds between two ticks that count as awake; more is looked up at the pod's own age. */
const MOST_TICK_S = 60;

export type Meter = ReturnType<typeof createMeter>;

/**
 * Counts what the pod costs, in `spending.json` of the private folder: its hourly price for every second that it runs, also
 * those in which no sidecar did. A stopped pod's disk costs on its own, and is not counted.
 */
export function createMeter({ folder, price }: { folder: string; price(): number | null }) {
  const path = join(folder, FILE);
  const begun = new Date().toISOString();
  let now = readJsonNow<Ledger>(path, LARGEST, ledger, { since: begun, spent: 0, seconds: 0, at: begun }, 'pod');
  let ticked = performance.now();
  let kept = Number.NEGATIVE_INFINITY;

  function add(seconds: number): void {
    const cost = ((price() ?? 0) * seconds) / 3600;
    now = { ...now, spent: now.spent + cost, seconds: now.seconds + seconds, at: new Date().toISOString() };
  }

  const ticking = repeatedly('meter', TICK_MS, async () => {
    const elapsed = (performance.now() - ticked) / 1000;
    ticked = performance.now();
    add(Math.min(elapsed, MOST_TICK_S));
    if (performance.now() - kept > KEEP_MS) await keep();
  });

  async function keep(): Promise<void> {
    kept = performance.now();
    await writePrivate(path, `${JSON.stringify(now)}\n`);
  }

  return {
    /** Since when it counts, the dollars, and the seconds. */
    facts: () => ({ since: now.since, spent: now.spent, seconds: now.seconds }),
    /** Begins from nothing. */
    async reset() {
      const at = new Date().toISOString();
      now = { since: at, spent: 0, seconds: 0, at };
      await keep();
    },
    open() {
      // The time without a sidecar, as far as this pod ran in it.
      const gap = (Date.now() - Date.parse(now.at)) / 1000;
      add(Math.max(0, Math.min(gap, podSeconds() ?? 0)));
      ticked = performance.now();
      ticking.open();
    },
    async close() {
      ticking.close();
      await keep().catch(logged('pod', 'The costs of the pod could not be saved.'));
    },
  };
}
