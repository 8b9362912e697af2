/** The most milliseconds from 1970 that a date can have. */
const MOST = 8.64e15;

/** ISO 8601 in UTC. A file system takes any number as a time; what is no date reads as 1970. */
export function isoTime(ms: number): string {
  return new Date(Math.abs(ms) <= MOST ? ms : 0).toISOString();
}
