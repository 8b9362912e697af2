import type { Command } from './trainer.js';

/** train.sh: the command as it was run, to be run by hand. Whatever a value holds, it reaches the trainer unchanged. */
export function trainScript({ argv, cwd }: Command): string {
  const [program = '', ...tokens] = argv;
  return `#!/usr/bin/env bash
# What Trackside ran. Running it by hand does the same, without Trackside noticing.
set -e
cd -- ${quoted(cwd)}
export PYTHONUNBUFFERED=1
exec ${[program, ...tokens].map(quoted).join(' \\\n  ')}
`;
}

/** One word for a POSIX shell: single quotes keep everything but themselves. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
