import { readFileSync } from 'node:fs';

/** USER_HZ, the unit of /proc, is 100 on all platforms of Node. */
const TICKS_A_SECOND = 100;

/** The start of a process, for people: ISO, exact to about a second. Not for comparisons; see `ProcessIdentity`. */
export function startedAt(startTicks: number): string {
  const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
  const seconds = Math.max(0, uptime - startTicks / TICKS_A_SECOND);
  return new Date(Date.now() - seconds * 1000).toISOString();
}
