import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import treeKill from 'tree-kill';

const PATIENCE_MS = 120_000;
const MOST_OUTPUT = 16 * 1024 * 1024;

export type ShortCommand = {
  argv: string[];
  /** `/` without one. */
  cwd?: string;
  /** PYTHONPATH for it; none by default. */
  pythonPath?: string;
  /** Time limit in ms. */
  patience?: number;
};

/**
 * Runs a short command of ours to its end and returns its standard output, also if it failed but printed something. Rejects
 * with an Error that says what went wrong if it printed nothing, or exceeded its time limit: then everything that it started
 * is ended too.
 */
export function runCommand({ argv, cwd = '/', pythonPath, patience = PATIENCE_MS }: ShortCommand): Promise<string> {
  const [file = '', ...rest] = argv;
  // To try costs a copy of this process, and pages ask for programs that most machines lack.
  if (!file.includes('/') && !isInPath(file)) return Promise.reject(new Error(`${file} failed: spawn ${file} ENOENT`));
  const env = { ...process.env, ...(pythonPath ? { PYTHONPATH: pythonPath } : {}) };
  return new Promise((resolve, reject) => {
    const child = execFile(file, rest, { cwd, env, maxBuffer: MOST_OUTPUT }, (error, stdout, stderr) => {
      clearTimeout(timer);
      if (!error || stdout) resolve(stdout);
      else reject(new Error(`${file} failed: ${stderr.trim().split('\n').at(-1) || error.message}`));
    });
    const timer = setTimeout(() => {
      reject(new Error(`${file} took longer than ${patience / 1000} s and was stopped.`));
      endTree(child.pid);
    }, patience);
  });
}

/**
 * Runs a command to its end and says its exit code, null after a signal or where it took longer than `patience` ms, with the
 * last line that it said.
 */
export function exitOf(argv: string[], patience: number): Promise<{ code: number | null; said: string }> {
  const [file = '', ...rest] = argv;
  return new Promise((resolve) => {
    const child = execFile(file, rest, { cwd: '/', maxBuffer: MOST_OUTPUT }, (error, stdout, stderr) => {
      clearTimeout(timer);
      const said = `${stdout}\n${stderr}`.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
      const code = error ? (typeof error.code === 'number' ? error.code : null) : 0;
      resolve({ code, said });
    });
    const timer = setTimeout(() => endTree(child.pid), patience);
  });
}

/** Ends only the head of the tree on machines without `ps`, where tree-kill throws outside any try. */
function endTree(pid: number | undefined): void {
  if (!pid) return;
  if (isInPath('ps')) treeKill(pid, 'SIGKILL');
  else process.kill(pid, 'SIGKILL');
}

/** Is there a program of this name in PATH? */
export function isInPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      // silent: not in this folder.
      return false;
    }
  });
}
