import type { EndedHow, JobLook } from '../launcher.js';
import { expandHosts, readFields, secondsOf, wordOf } from './parse.js';

/** What `scontrol -o show job` or `sacct` tells of an ended job. */
export type JobEnd = {
  state: string;
  reason: string;
  exitCode: number;
  signal: number;
  hosts: string[];
  preempted: boolean;
  /** It ran about as long as it may. */
  atLimit: boolean;
};

/** Slurm warns as early as it was asked to (options.ts), and up to a minute before that. */
const ABOUT_SECONDS = { short: 90, usual: 180 };
const SHORT_SECONDS = 300;

/** Reads `scontrol -o show job ID`: fields as `Name=value` in one line. Null for anything else. Pure. */
export function readJob(printed: string): JobEnd | null {
  const fields = readFields(printed);
  const value = (name: string) => fields.get(name) ?? '';
  const state = value('JobState');
  if (!state) return null;
  const preempted = value('PreemptTime');
  const ran = Number(value('EndTime')) - Number(value('StartTime'));
  const limit = secondsOf(value('TimeLimit'));
  return {
    state,
    reason: wordOf(value('Reason')),
    ...exitOf(value('ExitCode')),
    hosts: expandHosts(value('NodeList')),
    preempted: wordOf(preempted) !== '' && preempted !== '0',
    atLimit:
      limit !== null && ran > 0 && ran + (limit <= SHORT_SECONDS ? ABOUT_SECONDS.short : ABOUT_SECONDS.usual) >= limit,
  };
}

export const ACCOUNT_FORMAT = 'JobIDRaw,State,ExitCode,Reason,NodeList,JobName';

/**
 * Reads `sacct -n -P -X -D -o ACCOUNT_FORMAT` for one job, the newest line of it: several jobs may have had its number. Null
 * where accounting does not know it. Pure.
 */
export function readAccount(printed: string, id: string, name: string): JobEnd | null {
  const lines = printed.split('\n').map((each) => each.trim());
  const line = lines.findLast((each) => each.startsWith(`${id}|`) && each.endsWith(`|${name}`));
  if (!line) return null;
  const [, state = '', exit = '', reason = '', hosts = ''] = line.split('|');
  // "CANCELLED by 1000"
  const [word = ''] = state.split(' ');
  return {
    state: word,
    reason: wordOf(reason),
    ...exitOf(exit),
    hosts: expandHosts(hosts),
    preempted: word === 'PREEMPTED',
    atLimit: false,
  };
}

function exitOf(text: string): { exitCode: number; signal: number } {
  const [code, signal] = text.split(':');
  return { exitCode: Number(code) || 0, signal: Number(signal) || 0 };
}

/** Will a job in this state never run again? */
export function isOver(state: string): boolean {
  return state in ENDS;
}

const ENDS: Readonly<Record<string, EndedHow>> = {
  COMPLETED: 'by itself',
  FAILED: 'by itself',
  CANCELLED: 'cancelled',
  REVOKED: 'cancelled',
  TIMEOUT: 'time limit',
  DEADLINE: 'time limit',
  OUT_OF_MEMORY: 'out of memory',
  PREEMPTED: 'preempted',
  NODE_FAIL: 'node lost',
  BOOT_FAIL: 'node lost',
};

/** SIGKILL */
const KILLED = 9;

/** The node could not open the job's folder or files, as which Slurm's own programs exit with this "signal". */
const NO_FOLDER = 53;

/** An ended job, with what the engine says in its output; `codes`: the exit codes of a runner that began nothing. */
export function endedLook(
  end: JobEnd,
  { words, memory }: { words: string; memory: boolean },
  codes: { held: number; unwritable: number },
): JobLook {
  const { state, exitCode, signal, hosts, atLimit } = end;
  const refused =
    state === 'FAILED' && (signal === NO_FOLDER || hosts.length === 0 || Object.values(codes).includes(exitCode));
  const outOfMemory = memory && signal === KILLED;
  const told = outOfMemory ? 'out of memory' : (ENDS[state] ?? 'by itself');
  const how = refused ? 'never started' : end.preempted ? 'preempted' : told;
  return {
    phase: 'ended',
    how,
    hosts,
    exitCode,
    signal: nameOf(signal),
    words: words || wordsOf(end, refused, codes),
    atLimit,
  };
}

function wordsOf({ signal, reason, exitCode }: JobEnd, refused: boolean, codes: { unwritable: number }): string {
  if (signal === NO_FOLDER) return "The node could not open the session's folder: is the volume mounted there?";
  // On a full disk its output has no words.
  if (refused && exitCode === codes.unwritable)
    return "The node could not write into the session's folder: the disk is full, or read-only there.";
  return refused ? `Slurm refused it: ${reason}.` : '';
}

function nameOf(signal: number): string | null {
  return { 2: 'SIGINT', 6: 'SIGABRT', 9: 'SIGKILL', 11: 'SIGSEGV', 15: 'SIGTERM' }[signal] ?? null;
}
