import { readdirSync, readFileSync } from 'node:fs';
import type { AttemptRecord } from './attemptFile.js';
import { isLiving, type Process, type ProcessIdentity, readLiving, readProcess } from './identity.js';

/** The environment variable by which every process of an attempt carries the attempt's id. */
export const MARK = 'TRACKSIDE_ATTEMPT';

/**
 * All living processes of an attempt, the runner included: runner and trainer themselves, everything that carries the
 * mark in the environment it was started with, their descendants, and their process group. Loader workers, double
 * forks, setsid escapees and the children of a launcher that died first are all in one of these. Ourselves never.
 * Oldest first: a launcher that sees its child die of a signal before it has its own would report a crash.
 *
 * `seen` are those that an earlier sweep found: they stay found when whoever vouched for them has died. Reads all of
 * /proc: some milliseconds. The attempt has to be one of this PID namespace.
 */
export function processesOf(attempt: AttemptRecord, seen: Iterable<ProcessIdentity> = []): Process[] {
  const everyone = allProcesses();
  const marked = new Set(pidsByMark(everyone).get(attempt.id));
  const known = new Map([...recorded(attempt), ...seen].map(({ pid, startTicks }) => [pid, startTicks]));
  const found = new Set(everyone.filter((one) => marked.has(one.pid) || known.get(one.pid) === one.startTicks));
  // The group's number is proof only while somebody known is in it: PIDs, and with them group numbers, come again.
  const groupIsOurs = [...found].some((one) => one.pgid === attempt.pid);
  if (groupIsOurs) for (const one of everyone) if (one.pgid === attempt.pid) found.add(one);
  addDescendants(found, everyone);
  return [...found]
    .filter((one) => isLiving(one) && one.pid > 1 && one.pid !== process.pid)
    .sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
}

/**
 * Somebody who carries the attempt's mark, if anyone does. One look at /proc answers for all attempts that are asked
 * for within two seconds.
 */
export function findMarked(attemptId: string): Process | null {
  const now = performance.now();
  if (!lastLook || now - lastLook.at > 2000) lastLook = { at: now, marks: pidsByMark(allProcesses()) };
  for (const pid of lastLook.marks.get(attemptId) ?? []) {
    const one = readProcess(pid);
    if (one && isLiving(one) && markOf(pid) === attemptId) return one;
  }
  return null;
}

let lastLook: { at: number; marks: Map<string, number[]> } | undefined;

function allProcesses(): Process[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : []));
}

function pidsByMark(everyone: Process[]): Map<string, number[]> {
  const marks = new Map<string, number[]>();
  for (const one of everyone) {
    if (one.pid <= 1 || one.pid === process.pid || !isLiving(one)) continue;
    const mark = markOf(one.pid);
    if (mark) marks.set(mark, [...(marks.get(mark) ?? []), one.pid]);
  }
  return marks;
}

/** Null also where the environment may not be read: another user's process. */
function markOf(pid: number): string | null {
  let environment: string;
  try {
    environment = `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`;
  } catch {
    return null;
  }
  const start = environment.indexOf(`\0${MARK}=`);
  if (start < 0) return null;
  const end = environment.indexOf('\0', start + 1);
  return environment.slice(start + MARK.length + 2, end < 0 ? undefined : end);
}

function recorded(attempt: AttemptRecord): ProcessIdentity[] {
  const { trainer_pid, trainer_start_ticks } = attempt;
  const runner = { pid: attempt.pid, startTicks: attempt.start_ticks };
  if (trainer_pid === null || trainer_start_ticks === null) return [runner];
  return [runner, { pid: trainer_pid, startTicks: trainer_start_ticks }];
}

function addDescendants(found: Set<Process>, everyone: Process[]): void {
  const pids = new Set([...found].map((one) => one.pid));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const one of everyone) {
      if (pids.has(one.ppid) && one.ppid !== process.pid) {
        found.add(one);
        pids.add(one.pid);
      }
    }
  }
}

/** The runner of an attempt, while it lives. */
export function livingRunner(attempt: AttemptRecord): Process | null {
  return readLiving({ pid: attempt.pid, startTicks: attempt.start_ticks });
}
