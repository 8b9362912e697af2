import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'vitest';
import { asStarted, makeTestSidecars, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { median, pause, percentile, residentMb, tell } from './figures.js';
import { addCheckpoint, addProducts, addSteps, describe, longTraining } from './longTraining.js';

const ROUNDS = 15;
/** Milliseconds of a round's two halves, quiet and with a change: what is done every second or two is in both. */
const HALF_MS = 2000;

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

test('an open page of a training of 100,000 steps', async () => {
  const folder = longTraining(place.outputs, 'long', 100_000);
  const sidecar = await place.serve(asStarted);
  const idle = residentMb(sidecar.pid);
  const page = await openPage(sidecar, 'long');
  const first = await page.spent(() => page.begin());
  tell('100,000 steps × 5 tags, the first drawing of a session page', '–', `${first.all.toFixed(0)} ms of processor`);
  const costs = await rounds(page, (round) => {
    addSteps(folder, 100_001 + round * 10, 100_010 + round * 10);
    describe(folder, `round ${round}`);
  });
  tell('100,000 steps × 5 tags, a later redraw after 10 steps', '≤ 5 ms', described(costs));
  const memory = `${residentMb(sidecar.pid).toFixed(0)} MB, ${idle.toFixed(0)} MB before`;
  tell('100,000 steps × 5 tags, resident memory with the page open', '≤ 90 MB', memory);
  page.leave();
});

test('an open page of a session with 300 checkpoints and 2,000 samples', async () => {
  const folder = longTraining(place.outputs, 'long', 1000);
  addProducts(folder, 'long', 300, 2000);
  const sidecar = await place.serve(asStarted);
  const page = await openPage(sidecar, 'long');
  const first = await page.spent(() => page.begin());
  tell('300 checkpoints and 2,000 samples, the first drawing', '–', `${first.all.toFixed(0)} ms of processor`);
  const steps = await rounds(page, (round) => {
    addSteps(folder, 1001 + round * 10, 1010 + round * 10);
    describe(folder, `round ${round}`);
  });
  tell('300 checkpoints and 2,000 samples, a redraw after 10 steps', '≤ 10 ms', described(steps));
  const saves = await rounds(page, (round) => {
    addSteps(folder, 1201 + round * 10, 1210 + round * 10);
    addCheckpoint(folder, 'long', 301 + round);
  });
  tell('300 checkpoints and 2,000 samples, a redraw after a save', '≤ 10 ms', described(saves));
  page.leave();
});

/** Milliseconds of the processor: of the thread of the event loop, and of all threads. */
type Cost = { loop: number; all: number };
type Costs = { loop: number[]; all: number[]; bytes: number[] };

/**
 * What each of several changes costs until the page has shown it, the scan that found it included: the processor's time of a
 * while with the change, less what was used in as long a while just before it.
 */
async function rounds(page: Awaited<ReturnType<typeof openPage>>, change: (round: number) => void): Promise<Costs> {
  const costs: Costs = { loop: [], all: [], bytes: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const quiet = await page.spent(async () => {});
    const before = page.heard();
    const busy = await page.spent(() => page.after(() => change(round)));
    // A busy machine makes one while longer than the other.
    const longer = busy.of / quiet.of;
    costs.loop.push(busy.loop - quiet.loop * longer);
    costs.all.push(busy.all - quiet.all * longer);
    costs.bytes.push(page.heard() - before);
  }
  return costs;
}

function described({ loop, all, bytes }: Costs): string {
  const half = [25, 75].map((percent) => percentile(loop, percent).toFixed(1)).join(' to ');
  const kept = `median of ${ROUNDS}, the middle half ${half}; ${median(all).toFixed(1)} with all threads`;
  return `${median(loop).toFixed(1)} ms of the event loop's processor (${kept}), ${(median(bytes) / 1024).toFixed(1)} kB sent`;
}

/** A page whose stream is read. */
async function openPage(sidecar: Sidecar, name: string) {
  let heard = 0;
  let losses = 0;
  const controller = new AbortController();
  const read = async () => {
    const { body } = await fetch(new URL(`sessions/${name}/events`, sidecar.url), { signal: controller.signal });
    const decoder = new TextDecoder();
    for await (const chunk of body ?? []) {
      heard += chunk.length;
      losses += decoder.decode(chunk, { stream: true }).split('hx-target="#loss"').length - 1;
    }
  };
  const shown = async (change: () => void) => {
    const before = losses;
    change();
    await until(
      () => losses,
      (now) => now > before,
      60,
    );
    // The redraw that follows for what was heard meanwhile.
    await pause(400);
  };
  // What is left of the start.
  await pause(4000);
  return {
    heard: () => heard,
    begin: () => shown(() => void read().catch(() => {})),
    after: shown,
    /** What is used in a half of a round that begins with the work, and the milliseconds that it took. */
    async spent(work: () => Promise<void>): Promise<Cost & { of: number }> {
      const before = worked(sidecar);
      await work();
      await pause(Math.max(0, before.at + HALF_MS - performance.now()));
      const after = worked(sidecar);
      return { loop: after.loop - before.loop, all: after.all - before.all, of: after.at - before.at };
    },
    leave: () => controller.abort(),
  };
}

/** Milliseconds for which the thread of a sidecar's event loop, and all of its threads, have used the processor so far. */
function worked({ pid }: Sidecar): { loop: number; all: number; at: number } {
  const of = (thread: string) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  const threads = readdirSync(`/proc/${pid}/task`);
  return { loop: of(`${pid}`), all: threads.reduce((sum, each) => sum + of(each), 0), at: performance.now() };
}
