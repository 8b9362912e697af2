import { readdirSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { contract } from '../bridge.js';
import {
  isLiving,
  type Process,
  type ProcessIdentity,
  readable,
  readLiving,
  readProcess,
} from '../processes/identity.js';
import type { AttemptRecord } from './attemptFile.js';
import { markOf } from './marked.js';

/**
 * All living processes of an attempt, the runner included: runner and trainer, every process with the mark in its
 * initial environment, with its log open or its lock, their descendants, and their process group. This covers loader
 * workers, double forks, setsid escapees with an environment of their own and the children of a launcher that died
 * first. Never ourselves. Oldest first: a launcher whose child dies of a signal before it gets its own would report a
 * crash.
 *
 * `seen` are processes of an earlier sweep: they stay found when the process that led to them has died. Reads all of
 * /proc: some milliseconds. The attempt has to be of this PID namespace.
 */
export function processesOf(attempt: AttemptRecord, seen: Iterable<ProcessIdentity> = []): Process[] {
  const everyone = allProcesses();
  const traced = new Set(tracedTo(attempt, lookAt(everyone)));
  const known = new Map([...recorded(attempt), ...seen].map(({ pid, startTicks }) => [pid, startTicks]));
  const found = new Set(everyone.filter((one) => traced.has(one) || known.get(one.pid) === one.startTicks));
  // The group's number is proof only while a known process is in it: PIDs, and group numbers, are reused.
  const groupIsOurs = [...found].some((one) => one.pgid === attempt.pid);
  if (groupIsOurs) for (const one of everyone) if (one.pgid === attempt.pid) found.add(one);
  addDescendants(found, everyone);
  return [...found]
    .filter((one) => isLiving(one) && one.pid > 1 && one.pid !== process.pid)
    .sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
}

/**
 * A remaining process of an attempt without runner and trainer, or null. Scans /proc once for all calls in two seconds.
 */
export function findLeft(attempt: AttemptRecord): Process | null {
  const now = performance.now();
  if (!lastLook || now - lastLook.at > 2000) lastLook = { at: now, traces: lookAt(allProcesses()) };
  const there = tracedTo(attempt, lastLook.traces).flatMap((one) => readLiving(one) ?? []);
  return tracedTo(attempt, lookAt(there))[0] ?? null;
}

let lastLook: { at: number; traces: Map<string, Process[]> } | undefined;

/** The processes with a trace of the attempt. Inodes are reused, so processes older than the attempt don't count. */
function tracedTo(attempt: AttemptRecord, traces: Map<string, Process[]>): Process[] {
  const { id, device, log_inode, output_inode } = attempt;
  const found = [`mark ${id}`, `log ${device}:${log_inode}`, `lock ${device}:${output_inode}`];
  return found.flatMap((trace) => traces.get(trace) ?? []).filter((one) => one.startTicks >= attempt.start_ticks);
}

function allProcesses(): Process[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : []));
}

function lookAt(everyone: Process[]): Map<string, Process[]> {
  const traces = new Map<string, Process[]>();
  for (const one of everyone) {
    if (one.pid <= 1 || one.pid === process.pid || !isLiving(one)) continue;
    for (const trace of tracesOf(one.pid)) traces.set(trace, [...(traces.get(trace) ?? []), one]);
  }
  return traces;
}

function tracesOf(pid: number): string[] {
  const mark = markOf(pid);
  if (mark) return [`mark ${mark}`];
  return [logBehind(pid, 1), logBehind(pid, 2), lockOf(pid)].filter((trace) => trace !== null);
}

/** A process that clears its environment and leaves the session still writes into the trainer's log. */
function logBehind(pid: number, descriptor: number): string | null {
  const stats = statOf(pid, descriptor, (path) => path.includes(contract.files.log));
  return stats?.isFile() ? `log ${stats.dev}:${stats.ino}` : null;
}

/** The first file that a runner opens is the folder, which it locks; its children inherit this descriptor. */
const LOCK_DESCRIPTOR = 3;

/** A process that writes elsewhere may have inherited the runner's lock. The lock is proof; an open folder is not. */
function lockOf(pid: number): string | null {
  const stats = statOf(pid, LOCK_DESCRIPTOR, (path) => !path.startsWith('/dev/'));
  if (!stats?.isDirectory()) return null;
  const facts = readable(() => readFileSync(`/proc/${pid}/fdinfo/${LOCK_DESCRIPTOR}`, 'latin1'));
  return facts?.includes('FLOCK') ? `lock ${stats.dev}:${stats.ino}` : null;
}

/** The file behind a descriptor, if its path fits: other files are not touched, for their disk may hang. */
function statOf(pid: number, descriptor: number, mayBe: (path: string) => boolean): Stats | null {
  const link = `/proc/${pid}/fd/${descriptor}`;
  const path = readable(() => readlinkSync(link));
  return path?.startsWith('/') && mayBe(path) ? readable(() => statSync(link)) : null;
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
