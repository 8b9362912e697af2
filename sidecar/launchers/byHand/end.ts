import { setTimeout as wait } from 'node:timers/promises';
import { contract } from '../../bridge.js';
import { type Process, type ProcessIdentity, readLiving } from '../../processes/identity.js';
import { signalProcess } from '../../processes/signals.js';

const LOOK_MS = 100;
const GRACE_MS = contract.seconds.stop_grace * 1000;
const GIVE_UP_MS = GRACE_MS + 5000;

/**
 * Ends exactly these processes, in this order, and their new children of the same kind: SIGTERM, after 15 s SIGKILL.
 * `alike` finds processes of that kind. Each process is verified immediately before each signal. Returns the survivors,
 * normally none.
 */
export async function endProcesses(
  processes: readonly ProcessIdentity[],
  alike: () => readonly Process[],
): Promise<ProcessIdentity[]> {
  const all = [...processes];
  const begun = performance.now();
  const told = new Set<ProcessIdentity>();
  for (;;) {
    const living = all.filter(readLiving);
    if (living.length === 0) return [];
    const waited = performance.now() - begun;
    if (waited > GIVE_UP_MS) return living;
    for (const one of living) {
      if (waited > GRACE_MS) signalProcess(one, 'SIGKILL');
      else if (!told.has(one)) signalProcess(one, 'SIGTERM');
      told.add(one);
    }
    await wait(LOOK_MS);
    const parents = new Set(living.map(({ pid }) => pid));
    for (const one of alike()) {
      const isKnown = all.some(({ pid, startTicks }) => pid === one.pid && startTicks === one.startTicks);
      if (!isKnown && parents.has(one.ppid)) all.push(one);
    }
  }
}
