import { readFileSync } from 'node:fs';

/** USER_HZ, in which /proc counts, is 100 on all that Node runs on. */
const TICKS_A_SECOND = 100;

/** When a process was started, for people: ISO, to a second or so. Compared with nothing; see `ProcessIdentity` for that. */
export function startedAt(startTicks: number): string {
  const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
  const seconds = Math.max(0, uptime - startTicks / TICKS_A_SECOND);
  return new Date(Date.now() - seconds * 1000).toISOString();
}
