import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readScalars } from '../telemetry/scalars.js';
import type { Session } from './session.js';

/** One value that a run reported: `step` absolute over the attempts, `wall_time` in seconds since 1970. */
export type MetricPoint = { tag: string; step: number; value: number; attempt: number; wall_time: number };

const EPOCH_TAG = /^loss\/(epoch_average|validation\/epoch_)/;

/**
 * What the session's runs wrote to their event files, oldest first. Each attempt has an event folder of its own, and
 * counts its steps from zero: here they are absolute, and what a later attempt trained again replaces what it lost.
 */
export async function readMetrics(session: Session): Promise<MetricPoint[]> {
  const attempts = session.state?.attempts ?? [];
  const folders = await eventFolders(join(session.folder, 'logs'));
  const points: MetricPoint[] = [];
  for (const folder of folders) {
    const { points: scalars } = await readScalars(folder);
    const first = scalars[0];
    if (!first) continue;
    const writer = attempts.findLast((each) => Date.parse(each.started_at) / 1000 <= first.wallTime);
    const offset = writer?.step_offset ?? 0;
    const kept = points.filter((point) => EPOCH_TAG.test(point.tag) || point.step <= offset);
    points.length = 0;
    points.push(...kept);
    for (const { tag, step, value, wallTime } of scalars) {
      const absolute = EPOCH_TAG.test(tag) ? step : step + offset;
      points.push({ tag, step: absolute, value, attempt: writer?.number ?? 1, wall_time: wallTime });
    }
  }
  return points;
}

/** Folders that hold event files, oldest first: their names begin with the time of the start. */
async function eventFolders(logs: string): Promise<string[]> {
  const found = await readdir(logs, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = found.filter((entry) => entry.isFile() && entry.name.startsWith('events.out.tfevents.'));
  return [...new Set(files.map((entry) => entry.parentPath))].sort();
}
