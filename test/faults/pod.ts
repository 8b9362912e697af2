import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Sidecar, startSidecar, type TestSidecars } from '../sidecar.js';

/** Runs what follows as the only child of a PID 1 that never reaps anyone, under a host name (and boot id) of its own. */
const container = (hostname: string, machine?: string) => [
  ...['unshare', '-pf', '--mount-proc', '--uts', '--kill-child', 'sh', '-c'],
  ...[
    `hostname ${hostname}; ${machine ? `mount --bind ${machine} /proc/sys/kernel/random/boot_id;` : ''} "$@" & exec sleep infinity`,
    'init',
  ],
];

/**
 * A pod: a sidecar in a PID namespace of its own, over the files of a place. `kill()` ends the whole pod at once, as a
 * host does: sidecar, runners and trainers.
 */
export function startPod(
  place: TestSidecars,
  hostname: string,
  environment: NodeJS.ProcessEnv = {},
  /** A file that holds the boot id of another machine. */
  machine?: string,
): Promise<Sidecar> {
  const own = {
    TRACKSIDE_OUTPUTS: place.outputs,
    TRACKSIDE_DATASETS: place.datasets,
    TRACKSIDE_PRIVATE: join(place.folder, 'private'),
    TRACKSIDE_PORT: '0',
    TRACKSIDE_NO_LOGIN: '1',
  };
  return startSidecar({ ...own, ...environment }, container(hostname, machine));
}

/** attempt.json of a session, as it is. */
export function attemptOf(place: TestSidecars, name: string) {
  return JSON.parse(readFileSync(join(place.outputs, name, 'attempt.json'), 'utf8'));
}

/** Everyone who carries an attempt's mark, in whatever namespace: PIDs as seen from here, zombies left out. */
export function marked(id: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const state = readFileSync(`/proc/${name}/stat`, 'latin1').replace(/^.*\) /s, '')[0] ?? 'X';
      const carries = readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(`TRACKSIDE_ATTEMPT=${id}`);
      return carries && !'ZX'.includes(state) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
