import { readFileSync } from 'node:fs';

/** Milliseconds that the main thread has computed. The delay of an event loop also grows with what other programs do. */
export function mainThread(): number {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}
