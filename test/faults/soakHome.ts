import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { attemptOf, marked, startPod } from './pod.js';

/** Where the sidecar of a soak lives: on this machine, or in a pod of its own that dies whole. */
export type Home = {
  sidecar(): Sidecar;
  isPod(): boolean;
  /** Ends the sidecar and starts another one; in a pod everything ends with it, and the next one is on this machine. */
  restart(signal: NodeJS.Signals): Promise<number | null>;
  /** Ends everything, as a pod does that goes away, and begins in a new pod; of another machine, if so. */
  moveIntoPod(otherMachine: boolean): Promise<void>;
  /** Tells everything in the pod to end, and then takes the pod away. On this machine it does nothing. */
  shutDown(): Promise<void>;
};

export async function createHome(
  place: TestSidecars,
  names: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Home> {
  let pod = false;
  let pods = 0;
  let sidecar = await place.serve(environment);

  async function restart(signal: NodeJS.Signals): Promise<number | null> {
    const code = await sidecar.kill(pod ? 'SIGKILL' : signal);
    if (pod) await allGone();
    const ofPod = pod;
    pod = false;
    sidecar = await place.serve(environment);
    return ofPod ? 0 : code;
  }

  /** Whoever lives of the sessions. */
  function everyone(): number[] {
    return names.flatMap((name) => {
      try {
        return marked(attemptOf(place, name).id);
      } catch {
        return [];
      }
    });
  }

  async function allGone(): Promise<void> {
    await until(everyone, (left) => left.length === 0, 10);
  }

  return {
    sidecar: () => sidecar,
    isPod: () => pod,
    restart,
    async moveIntoPod(otherMachine) {
      await sidecar.kill('SIGKILL');
      await until(
        () => {
          for (const pid of everyone()) send(pid, 'SIGKILL');
          return everyone().length;
        },
        (left) => left === 0,
      );
      pods += 1;
      const machine = join(place.folder, `boot_id-${pods}`);
      writeFileSync(machine, `${randomUUID()}\n`);
      sidecar = await startPod(place, `pod-${pods}`, environment, otherMachine ? machine : undefined);
      pod = true;
    },
    async shutDown() {
      if (!pod) return;
      const init = readFileSync(`/proc/${sidecar.pid}/task/${sidecar.pid}/children`, 'utf8').trim();
      execFileSync('nsenter', ['-t', init, '-p', '-m', 'sh', '-c', 'kill -TERM -1'], { stdio: 'ignore' });
      await until(
        () => isAlive(sidecar.pid),
        () => true,
      );
      await new Promise((resolve) => setTimeout(resolve, 400));
      await restart('SIGKILL');
    },
  };
}

/** Signals processes of an attempt by the PIDs that its runner wrote down, whatever PID namespace those are of. */
export function signalAttempt(
  place: TestSidecars,
  name: string,
  trainers: readonly number[],
  who: readonly ('pid' | 'trainer_pid')[],
  signal: NodeJS.Signals,
): boolean {
  if (trainers.length === 0) return false;
  const record = attemptOf(place, name);
  const byInner = new Map(marked(record.id).map((pid) => [innerPid(pid), pid]));
  // The record may be of an attempt that has ended: only of one whose trainer lives are the PIDs ours.
  if (record.ended_at !== null || !trainers.includes(byInner.get(record.trainer_pid) ?? 0)) return false;
  for (const each of who) send(byInner.get(record[each]) ?? 0, signal);
  return true;
}

/** A process's PID in its own namespace. */
function innerPid(pid: number): number {
  try {
    const line = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '';
    return Number(line.trim().split(/\s+/).at(-1));
  } catch {
    return 0;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 1) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself meanwhile.
  }
}
