import { expect, test } from 'vitest';
import { runCommand } from '../../sidecar/processes/run.js';
import { isAlive, until } from '../sidecar.js';

const here = { cwd: '/', pythonPath: '' };

test('a command that ends is answered by what it printed', async () => {
  expect(await runCommand({ ...here, argv: ['sh', '-c', 'echo yes'] })).toBe('yes\n');
  await expect(runCommand({ ...here, argv: ['sh', '-c', 'echo why >&2; exit 3'] })).rejects.toThrow('sh failed: why');
  await expect(runCommand({ ...here, argv: ['no-such-program'] })).rejects.toThrow('ENOENT');
});

test.each(['with ps', 'without ps'])('a command that hangs is ended, %s, and what it started with it', async (way) => {
  const path = process.env.PATH;
  try {
    if (way === 'without ps') process.env.PATH = '/nowhere';
    const script =
      'import subprocess, sys, time; c = subprocess.Popen(["/bin/sleep", "60"]); open(sys.argv[1], "w").write(str(c.pid)); time.sleep(60)';
    const note = `/tmp/trackside-run-${process.pid}-${way.length}`;
    const hanging = runCommand({
      ...here,
      argv: ['/usr/bin/env', `PATH=${path}`, 'python3', '-c', script, note],
      patience: 1500,
    });
    await expect(hanging).rejects.toThrow('took longer than 1.5 s');
    const { readFileSync, rmSync } = await import('node:fs');
    const sleeper = Number(readFileSync(note, 'utf8'));
    rmSync(note);
    if (way === 'with ps')
      await until(
        () => isAlive(sleeper),
        (alive) => !alive,
        5,
      );
    else process.kill(sleeper, 'SIGKILL');
  } finally {
    process.env.PATH = path;
  }
});
