import { readFileSync } from 'node:fs';
import { readable, readProcess } from '../processes/identity.js';

/** Linux counts process times in hundredths of a second on every architecture (USER_HZ, asm-generic/param.h). */
const TICKS = 100;

/** Seconds since this pod's first process began; null where /proc does not tell. */
export function podSeconds(): number | null {
  const machine = readable(() => Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]));
  const first = readProcess(1)?.startTicks;
  return machine === null || first === undefined ? null : Math.max(0, machine - first / TICKS);
}
