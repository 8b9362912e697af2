import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';

const OLDEST = [3, 10] as const;
const PATIENCE_MS = 10_000;

/**
 * Finds the interpreter behind a name like "python3", as an absolute path: the shims of pyenv and the like cost tens of
 * milliseconds a start. Looks each name up once; an early call makes the first training start as fast as later ones.
 * Rejects with a sentence for people if there is none, or it is older than 3.10; the next call looks again.
 */
export function resolvePython(name: string): Promise<string> {
  const known = interpreters.get(name) ?? lookUpOnce(name);
  // Gone with its virtual environment, perhaps: the name may lead to another by now.
  return known.then((path) => (existsSync(path) ? path : lookUpOnce(name)));
}

/** An interpreter for a small, urgent question of our own: one found before that is still there, or the first in PATH. */
export function foundPython(): string {
  return found && existsSync(found) ? found : 'python3';
}

let found: string | undefined;
const interpreters = new Map<string, Promise<string>>();

function lookUpOnce(name: string): Promise<string> {
  const looking = lookUp(name);
  interpreters.set(name, looking);
  // silent: the caller gets the error; the next call looks again.
  looking.catch(() => interpreters.delete(name));
  return looking;
}

function lookUp(name: string): Promise<string> {
  const script = 'import sys; print(*sys.version_info[:2], sys.executable)';
  return new Promise((resolve, reject) => {
    // A child of a wrapper may keep its output open when the wrapper is ended: not waited for.
    const late = () => reject(new Error(`${name} is not a working Python: it did not answer within 10 s.`));
    const timer = setTimeout(late, PATIENCE_MS);
    execFile(name, ['-I', '-S', '-c', script], { timeout: PATIENCE_MS, killSignal: 'SIGKILL' }, (error, stdout) => {
      clearTimeout(timer);
      const [, major, minor, executable] = /^(\d+) (\d+) (.+)\n$/.exec(stdout) ?? [];
      if (error || !executable) return reject(new Error(`${name} is not a working Python: ${reasonOf(error)}.`));
      if (Number(major) !== OLDEST[0] || Number(minor) < OLDEST[1]) {
        return reject(new Error(`${name} is Python ${major}.${minor}; Trackside needs ${OLDEST.join('.')} or newer.`));
      }
      found = executable;
      interpreters.set(executable, Promise.resolve(executable));
      resolve(executable);
    });
  });
}

function reasonOf(error: (Error & { code?: unknown }) | null): string {
  if (error?.code === 'ENOENT') return 'no such program';
  if (error?.code === 'EACCES') return 'it may not be executed';
  return error?.message.trim().split('\n').at(-1) ?? 'it printed nothing';
}
