import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Compiles the library that gives programs another wall clock, and answers its path. It is ours, not libfaketime: that
 * one spoils the monotonic clock of sleeping programs, too (see fixtures/clock.c). Needs gcc.
 */
export function compileClock(): { path: string; remove(): void } {
  const path = join(tmpdir(), `trackside-clock-${process.pid}.so`);
  const source = fileURLToPath(new URL('fixtures/clock.c', import.meta.url));
  execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-o', path, source]);
  return { path, remove: () => rmSync(path, { force: true }) };
}
