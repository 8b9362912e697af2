import { readFileSync, readlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { bridge, contract } from '../bridge.js';
import { ownNamespace, type Process, readable, runningPrograms } from '../processes/identity.js';

/** The living processes of one attempt, found by its mark alone: whatever became of its folder. */
export type Marked = {
  attempt: string;
  /** The oldest first: the runner, while it lives. */
  processes: Process[];
  /** Where it was begun, and where its log is now; null when no process tells. */
  output: string | null;
  logFolder: string | null;
  /** The file that its trainer runs, or the program. */
  script: string;
};

export type { Process };

/** All attempts with a living process in this PID namespace. Reads a file of every process. */
export function markedAttempts(): Marked[] {
  const found = new Map<string, Process[]>();
  const marks = new Map<string, string | null>();
  for (const { process: one, key } of runningPrograms()) {
    const known = knownMarks.get(key);
    const mark = known === undefined ? markOf(one.pid) : known;
    marks.set(key, mark);
    if (mark && isHere(one.pid)) found.set(mark, [...(found.get(mark) ?? []), one]);
  }
  knownMarks = marks;
  return [...found].map(([attempt, processes]) => {
    const oldestFirst = processes.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
    return { attempt, processes: oldestFirst, ...placeOf(attempt, oldestFirst) };
  });
}

/** The marks of the programs that ran at the last look: a program's initial environment stays. */
let knownMarks = new Map<string, string | null>();

/** The attempt's id in a process's initial environment. Null also for another user's process, which can't be read. */
export function markOf(pid: number): string | null {
  const read = readable(() => readFileSync(`/proc/${pid}/environ`, 'latin1'));
  if (read === null) return null;
  const environment = `\0${read}`;
  const start = environment.indexOf(`\0${contract.mark}=`);
  if (start < 0) return null;
  const end = environment.indexOf('\0', start + 1);
  return environment.slice(start + contract.mark.length + 2, end < 0 ? undefined : end);
}

function isHere(pid: number): boolean {
  return readable(() => readlinkSync(`/proc/${pid}/ns/pid`)) === ownNamespace().link;
}

function placeOf(attempt: string, processes: readonly Process[]): Pick<Marked, 'output' | 'logFolder' | 'script'> {
  let logFolder: string | null = null;
  let script: string | null = null;
  for (const { pid } of processes) {
    const argv = argvOf(pid);
    if (!isRunner(argv)) script ??= basename(argv.find((word) => word.endsWith('.py')) ?? argv[0] ?? '');
    const log = readable(() => readlinkSync(`/proc/${pid}/fd/1`))?.replace(/ \(deleted\)$/, '');
    if (log && basename(log) === contract.files.log) logFolder ??= dirname(log);
  }
  // A runner that was started in a terminal has no mark of its own.
  const runner = [...processes.map(({ pid }) => pid), processes[0]?.ppid ?? 0].map(argvOf).find(isRunner);
  const output = runner?.includes(attempt) ? (runner[runner.indexOf('--output') + 1] ?? null) : null;
  return { output, logFolder, script: script ?? '' };
}

const isRunner = (argv: readonly string[]) => argv.includes(bridge.runner);

function argvOf(pid: number): string[] {
  const line = readable(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  return line?.replace(/\0$/, '').split('\0') ?? [];
}
