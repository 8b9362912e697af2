import { appendFileSync, readFileSync } from 'node:fs';

/** One line of the table that `npm run bench` prints at its end. Values as they are to be read: "17 ms". */
export function tell(what: string, bar: string, measured: string): void {
  const row = `| ${what} | ${bar} | ${measured} |`;
  const table = process.env.TRACKSIDE_BENCH_TABLE;
  if (table) appendFileSync(table, `${row}\n`);
  else console.log(row);
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

/** What a process holds in memory now, or held at most, in MB (of 2^20 bytes). */
export function residentMb(pid: number, which: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${which}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
