import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** One process, distinguished by its start time from a later one with the same PID. */
export type ProcessIdentity = {
  readonly pid: number;
  /** Clock ticks since boot, raw: wall-clock time would jump. */
  readonly startTicks: number;
};

export type Process = ProcessIdentity & {
  /** R, S, D, T, Z, X, … (proc_pid_stat(5)) */
  readonly state: string;
  readonly ppid: number;
  readonly pgid: number;
};

/** A process as /proc shows it; null if it does not exist or may not be read. */
export function readProcess(pid: number): Process | null {
  return readable(() => parseStat(pid, readFileSync(`/proc/${pid}/stat`, 'latin1')));
}

/** The process, if it is still the same one and not a zombie, on which kill(pid, 0) would succeed too. */
export function readLiving({ pid, startTicks }: ProcessIdentity): Process | null {
  const now = readProcess(pid);
  return now?.startTicks === startTicks && isLiving(now) ? now : null;
}

export function isLiving(process: Process): boolean {
  return process.state !== 'Z' && process.state !== 'X' && process.state !== 'x';
}

/**
 * Counts fields after the last `)`: the name before it may contain anything, spaces and `)` included.
 * Exported for the table of odd names in its test.
 */
export function parseStat(pid: number, text: string): Process | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, ppid, pgid, startTicks] = [fields[0], Number(fields[1]), Number(fields[2]), Number(fields[19])];
  if (!state || !Number.isSafeInteger(startTicks)) return null;
  return { pid, startTicks, state, ppid, pgid };
}

/** A program that a process runs: another one after each exec, which keeps PID and start time. */
export type RunningProgram = { process: Process; key: string };

/**
 * All programs that run in this PID namespace, but for this one, the first process and kernel threads. Reads a file of each,
 * once in a turn of the event loop.
 */
export function runningPrograms(): readonly RunningProgram[] {
  if (!programs) setImmediate(() => (programs = null));
  programs ??= readPrograms();
  return programs;
}

let programs: RunningProgram[] | null = null;

function readPrograms(): RunningProgram[] {
  return readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? readable(() => readFileSync(`/proc/${name}/stat`, 'latin1')) : null;
    const one = stat === null ? null : parseStat(Number(name), stat);
    // Kernel threads are in no process group.
    if (!stat || !one || one.pgid === 0 || one.pid <= 1 || one.pid === process.pid || !isLiving(one)) return [];
    return [{ process: one, key: `${one.pid} ${one.startTicks} ${placeInMemory(stat)}` }];
  });
}

/** Where the kernel put a program's code, stack, arguments and environment; zeros for one that is not ours to look into. */
function placeInMemory(stat: string): string {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [...fields.slice(23, 26), ...fields.slice(45, 49)].join();
}

/** The scope of a PID: this PID namespace, in its present life. A restarted container reuses small PIDs. */
export type Namespace = {
  /** "pid:[4026531836]" */
  readonly link: string | null;
  readonly initStartTicks: number | null;
  readonly bootId: string | null;
  readonly hostname: string;
};

/** Read once: a process cannot leave its PID namespace. */
export function ownNamespace(): Namespace {
  own ??= {
    link: readable(() => readlinkSync('/proc/self/ns/pid')),
    initStartTicks: readProcess(1)?.startTicks ?? null,
    bootId: readable(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()),
    hostname: hostname(),
  };
  return own;
}

let own: Namespace | undefined;

/** What is read of /proc; null if the process is gone, or another user's. */
export function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    // silent: gone, or not readable for us.
    return null;
  }
}
