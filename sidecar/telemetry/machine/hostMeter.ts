import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { readable } from '../../processes/identity.js';

export type HostReading = {
  /** Of all processors that we may use, 0 to 100; null at the first look. */
  cpu: number | null;
  processors: number;
  /** Bytes that this container, or else the machine, uses and may use; files that are only cached not counted. */
  memoryUsed: number;
  memoryTotal: number;
};

/** Reads processor and memory as the container's limits see them; the processor since the last call. */
export function createHostMeter(): () => HostReading {
  let before = cpuTimes();
  return () => {
    const now = cpuTimes();
    const [busy, all] = [now.busy - before.busy, now.all - before.all];
    if (all > 0) before = now;
    const memory = containerMemory() ?? { memoryUsed: totalmem() - available(), memoryTotal: totalmem() };
    return { cpu: all > 0 ? Math.min(100, (100 * busy) / all) : null, processors: availableParallelism(), ...memory };
  };
}

/** Jiffies of all processors: user, nice, system, idle, iowait, … (proc_stat(5)). */
function cpuTimes(): { busy: number; all: number } {
  const times = (text('/proc/stat').split('\n')[0] ?? '').trim().split(/\s+/).slice(1, 9).map(Number);
  const all = times.reduce((sum, each) => sum + each, 0);
  return { busy: all - (times[3] ?? 0) - (times[4] ?? 0), all };
}

/** Of cgroup v2, or v1; null without a limit. Inactive file cache is given back when memory is needed, as docker stats counts. */
function containerMemory(): { memoryUsed: number; memoryTotal: number } | null {
  const roots = [
    ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory.current', '/sys/fs/cgroup/memory.stat', 'inactive_file'],
    [
      '/sys/fs/cgroup/memory/memory.limit_in_bytes',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes',
      '/sys/fs/cgroup/memory/memory.stat',
      'total_inactive_file',
    ],
  ] as const;
  for (const [max, current, stat, cache] of roots) {
    const limit = Number.parseInt(text(max), 10);
    const used = Number.parseInt(text(current), 10);
    if (!Number.isFinite(limit) || !Number.isFinite(used) || limit > totalmem()) continue;
    const line = text(stat)
      .split('\n')
      .find((each) => each.startsWith(`${cache} `));
    const cached = Number(line?.slice(cache.length) ?? 0);
    return { memoryUsed: Math.max(0, used - cached), memoryTotal: limit };
  }
  return null;
}

/** '' where there is none: another version of cgroups, or another system. */
const text = (path: string) => readable(() => readFileSync(path, 'latin1')) ?? '';

function available(): number {
  const kilobytes = /^MemAvailable:\s+(\d+)/m.exec(text('/proc/meminfo'))?.[1];
  return kilobytes ? Number(kilobytes) * 1024 : freemem();
}
