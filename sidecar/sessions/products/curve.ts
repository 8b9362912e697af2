import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { realInside } from '../../security/paths.js';
import { type EventPoints, readEventFolder } from '../../trainers/sdOutput/eventFolder.js';
import { writerByTime } from '../lineage/writer.js';
import type { AttemptEntry } from '../record/uiState.js';
import type { Session } from '../status/session.js';

/** One value that a run reported: `step` absolute over the attempts, `wall_time` in seconds since 1970. */
export type MetricPoint = { tag: string; step: number; value: number; attempt: number; wall_time: number };

/**
 * What the session's runs wrote to their event files, oldest first. Each attempt has an event folder of its own, and
 * counts its steps from zero: here they are absolute, and what a later attempt trained again replaces what it lost.
 */
export async function readMetrics(session: Session): Promise<MetricPoint[]> {
  let points: MetricPoint[] = [];
  for (const run of await readRuns(session)) {
    const { first_epoch: firstEpoch, step_offset: offset } = run.writer ?? FIRST;
    points = points.filter(({ tag, step }) => (EPOCH_TAG.test(tag) ? step < firstEpoch : step <= offset));
    for (const point of pointsOf(run)) points.push(point);
  }
  return points;
}

/** The loss of every step of every attempt, oldest first: what a later attempt trained again is in it twice. */
export async function readLosses(session: Session): Promise<MetricPoint[]> {
  const runs = await readRuns(session);
  return runs.flatMap((run) => pointsOf(run, 'loss/current'));
}

type Run = { writer: AttemptEntry | null; points: EventPoints };

/** A run whose attempt is not known counts as the first one. */
const FIRST = { number: 1, first_epoch: 1, step_offset: 0 };

const EPOCH_TAG = /^loss\/(epoch_average|validation\/epoch_)/;

async function readRuns(session: Session): Promise<Run[]> {
  const attempts = session.state?.attempts ?? [];
  const runs: Run[] = [];
  for (const folder of await eventFolders(join(session.folder, 'logs'))) {
    const points = await readEventFolder(folder);
    const begun = points.wallTimes[0];
    if (begun !== undefined) runs.push({ writer: writerByTime(attempts, begun * 1000), points });
  }
  return runs;
}

/** The points of one run, made absolute; of one tag where it is given. */
function pointsOf({ writer, points }: Run, only?: string): MetricPoint[] {
  const { number: attempt, step_offset: offset } = writer ?? FIRST;
  return points.tags.flatMap((tag, index) => {
    if (only !== undefined && tag !== only) return [];
    const runLocal = points.steps[index] ?? 0;
    const step = EPOCH_TAG.test(tag) ? runLocal : runLocal + offset;
    return [{ tag, step, value: points.values[index] ?? 0, attempt, wall_time: points.wallTimes[index] ?? 0 }];
  });
}

/** Folders that hold event files, oldest first: their names begin with the time of the start. */
async function eventFolders(logs: string): Promise<string[]> {
  const inside = await realInside(dirname(dirname(logs)), logs).catch(() => null);
  const found = inside ? await readdir(inside, { recursive: true, withFileTypes: true }).catch(() => []) : [];
  const files = found.filter((entry) => entry.isFile() && entry.name.startsWith('events.out.tfevents.'));
  return [...new Set(files.map((entry) => entry.parentPath))].sort();
}
