import { readFileSync, readlinkSync } from 'node:fs';
import { contract } from '../../bridge.js';
import { ownNamespace, type Process, readable, runningPrograms } from '../../processes/identity.js';

/** A process, and the meaning of its command line. */
export type Recognised<T> = Process & { readonly as: T };

/** A command line to recognise. `cwd` is absolute. */
export type CommandLine = { argv: string[]; cwd: string; startTicks: number };

/**
 * Makes a scan of the command lines of all readable processes in this PID namespace that no attempt of ours started.
 * Calls `recognise` once for each program that a process runs, and again at each scan while it says "later". A scan costs one small read per process. `as` stays the same object in every scan.
 */
export function createLook<T extends object>(
  recognise: (line: CommandLine) => T | null | 'later',
): () => Recognised<T>[] {
  let known = new Map<string, T | null>();
  let bare = new Set<string>();
  return () => {
    const seen = new Map<string, T | null>();
    const found: Recognised<T>[] = [];
    const bareNow = new Set<string>();
    // exec replaces the program of a process: a version switcher's `python3` does so.
    for (const { process: one, key } of runningPrograms()) {
      let as = known.get(key);
      if (as === undefined) {
        const told = readLine(one, readText(`/proc/${one.pid}/cmdline`), bare.has(key));
        if (told === 'unsettled') {
          bareNow.add(key);
          continue;
        }
        const recognised = told && recognise(told);
        if (recognised === 'later') continue;
        as = recognised;
      }
      seen.set(key, as);
      if (as) found.push({ ...one, as });
    }
    known = seen;
    bare = bareNow;
    return found;
  };
}

/** During an exec there is neither a command line nor an environment: an empty one is read twice. */
function readLine(
  { pid, startTicks }: Process,
  arguments_: string | null,
  wasBare: boolean,
): CommandLine | null | 'unsettled' {
  if (arguments_ === null) return null;
  if (arguments_ === '') return wasBare ? null : 'unsettled';
  if (!arguments_.includes('.py')) return null;
  const environment = readText(`/proc/${pid}/environ`);
  if (environment === null || `\0${environment}`.includes(`\0${contract.mark}=`)) return null;
  if (environment === '' && !wasBare) return 'unsettled';
  return readable(() => {
    if (readlinkSync(`/proc/${pid}/ns/pid`) !== ownNamespace().link) return null;
    const argv = arguments_.replace(/\0$/, '').split('\0');
    return { argv, cwd: readlinkSync(`/proc/${pid}/cwd`), startTicks };
  });
}

function readText(path: string): string | null {
  return readable(() => readFileSync(path, 'utf8'));
}
