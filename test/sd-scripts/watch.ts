import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Progress } from '../../sidecar/telemetry/progress.js';
import { isAlive, type Sidecar, type TestSidecars, until } from '../sidecar.js';

/** Waits until a state folder is being written while `so` holds; answers its path. */
export async function savingNow(sidecar: Sidecar, name: string, so: (progress: Progress) => boolean): Promise<string> {
  let saving: string | undefined;
  await until(
    async () => {
      const { progress, status, reason } = await sidecar.session(name);
      if (['failed', 'completed', 'stopped'].includes(status)) throw new Error(`${name} is ${status}: ${reason}`);
      const log = (await sidecar.send('GET', `sessions/${name}/log?tail=40`)).body as string;
      const begun = [...String(log).matchAll(/Saving current state to (\S+)/g)].at(-1);
      const isOpen = begun && !String(log).slice(begun.index).includes('Random states saved in');
      saving = isOpen && so(progress) ? begun[1] : undefined;
      return saving;
    },
    (found) => found !== undefined,
    900,
  );
  return saving ?? '';
}

/** The epochs that each attempt began, as the trainer itself said. */
export function epochsTrained(log: string): number[][] {
  const attempts = readFileSync(log, 'utf8')
    .split(/^── attempt \d+ .*$/m)
    .slice(1);
  return attempts.map((text) => [...text.matchAll(/^epoch (\d+)\/\d+\s*$/gm)].map(([, epoch]) => Number(epoch)));
}

/** As a pod that dies: every process of the session's attempt at once, the runner included. */
export async function killEverything(place: TestSidecars, name: string): Promise<void> {
  const { id } = JSON.parse(readFileSync(join(place.outputs, name, 'attempt.json'), 'utf8'));
  const marked = () => readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && isMarked(entry, id));
  const all = marked().map(Number);
  for (const pid of all) process.kill(pid, 'SIGKILL');
  await until(
    () => all.filter(isAlive).length,
    (left) => left === 0,
  );
}

function isMarked(pid: string, id: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`TRACKSIDE_ATTEMPT=${id}`);
  } catch {
    return false;
  }
}
