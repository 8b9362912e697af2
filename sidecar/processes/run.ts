import { execFile } from 'node:child_process';

const PATIENCE_MS = 120_000;
const MOST_OUTPUT = 16 * 1024 * 1024;

/**
 * Runs a short command to its end and answers its standard output. Throws an Error that says what it printed when it
 * fails or takes longer than two minutes.
 */
export function runCommand(command: { argv: string[]; cwd: string; pythonPath: string }): Promise<string> {
  const { argv, cwd, pythonPath } = command;
  const [file = '', ...rest] = argv;
  return new Promise((resolve, reject) => {
    execFile(
      file,
      rest,
      { cwd, env: { ...process.env, PYTHONPATH: pythonPath }, timeout: PATIENCE_MS, maxBuffer: MOST_OUTPUT },
      (error, stdout, stderr) => {
        if (error && !stdout)
          reject(new Error(`${argv.join(' ')} failed: ${stderr.trim().split('\n').at(-1) ?? error.message}`));
        else resolve(stdout);
      },
    );
  });
}
