import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'vitest';
import type { PurgePlan, PurgeRecord } from '../../sidecar/sessions/retention/facts.js';
import { planPurge } from '../../sidecar/sessions/retention/plan.js';
import { watchRetention } from '../../sidecar/sessions/watchers/retention.js';
import { readSettings } from '../../sidecar/settings.js';
import { createTrackside } from '../../sidecar/trackside.js';
import { manySessions } from '../bench/manySessions.js';
import type { TestSidecars } from '../sidecar.js';

const DAYS = 30;
const begins = Date.UTC(2026, 0, 1);
const KEPT_DAYS = 7;

/** All files and folders below a folder, by their relative paths, with the bytes of the files. */
function below(root: string, at = root): Map<string, number> {
  const found = new Map<string, number>();
  for (const entry of readdirSync(at, { withFileTypes: true })) {
    const path = join(at, entry.name);
    found.set(relative(root, path), entry.isFile() ? statSync(path).size : 0);
    if (entry.isDirectory()) for (const [inner, bytes] of below(root, path)) found.set(inner, bytes);
  }
  return found;
}

const sum = (of: Map<string, number>) => [...of.values()].reduce((all, bytes) => all + bytes, 0);

/**
 * A month with so many new sessions a day, like `model` (manySessions.ts), by a clock and on a disk of its own: each night but every third, through which the pod
 * sleeps, what a dry run says is what goes. In the end all weights are there, what could be resumed can be, the disk was never
 * fuller than its limit, and the record explains every file that is gone.
 */
export async function liveAMonth(
  place: TestSidecars,
  model: string,
  aDay: number,
): Promise<{ removed: number; fullest: number; limit: number }> {
  const outputs = join(place.folder, 'month');
  mkdirSync(outputs);
  const settings = readSettings(
    { login: false },
    {
      ...{
        TRACKSIDE_OUTPUTS: outputs,
        TRACKSIDE_DATASETS: place.datasets,
        TRACKSIDE_PRIVATE: join(place.folder, 'own'),
      },
      TRAINING_RETENTION_DAYS: String(KEPT_DAYS),
    },
  );
  const trackside = createTrackside(settings);
  let now = new Date(begins);
  const one = join(place.folder, 'one');
  const each = sum(below(one, manySessions(one, model, aDay) && one)) / aDay;
  /** Room for two thirds of what is written in the month. */
  const limit = (each * DAYS * aDay * 2) / 3;
  const disk = async () => ({ total_bytes: limit, free_bytes: limit - sum(below(outputs)) });
  const night = watchRetention(trackside, { now: () => now, disk });
  const made = new Map<string, number>();
  const resumes = new Map<string, unknown>();
  const planned: string[] = [];
  let fullest = 0;
  await trackside.outputs.open();
  try {
    for (let day = 0; day < DAYS; day += 1) {
      // Numbers set the time: 288 of them are a day.
      for (const name of manySessions(outputs, model, aDay, day * 288)) {
        await trackside.outputs.refresh(name);
        for (const [path, bytes] of below(outputs, join(outputs, name))) made.set(path, bytes);
        const { facts } = await trackside.outputs.read(name);
        if (facts.resume) resumes.set(name, facts.resume);
      }
      now = new Date(begins + (day + 1) * 86_400_000 + 12 * 3_600_000);
      // On every third night the pod sleeps.
      if (day % 3 === 2) continue;
      const before = new Set(recordOf(outputs).map(({ path }) => path));
      const plan: PurgePlan = await planPurge(trackside, { days: KEPT_DAYS }, now);
      await night.look();
      const lines = recordOf(outputs).filter(({ path, by }) => by === 'nightly' && !before.has(path));
      if (day > 0)
        expect(lines.map(({ path }) => path).sort(), `day ${day}`).toEqual(plan.items.map(({ path }) => path).sort());
      planned.push(...lines.map(({ path }) => path));
      fullest = Math.max(fullest, sum(below(outputs)));
    }
    expect(planned.length).toBeGreaterThan((DAYS * aDay) / 3);
    expect(fullest).toBeLessThan(limit);
    const all = await trackside.outputs.list();
    expect(all).toHaveLength(DAYS * aDay);
    for (const { name, status } of all) {
      const { facts, candidates } = await trackside.outputs.read(name);
      if (resumes.has(name)) expect(facts.resume, name).toEqual(resumes.get(name));
      if (status !== 'completed') continue;
      expect(facts, name).toMatchObject({ status: 'completed', all_trained: true });
      expect(existsSync(join(outputs, name, `${name}.safetensors`)), name).toBe(true);
      expect(candidates.filter(({ complete }) => complete).length, name).toBeGreaterThan(0);
    }
    expect(resumes.size).toBeGreaterThan((DAYS * aDay) / 6);
    expect(unexplained(outputs, made)).toEqual([]);
    return { removed: planned.length, fullest, limit };
  } finally {
    await trackside.outputs.close();
  }
}

function recordOf(outputs: string): PurgeRecord[] {
  const path = join(outputs, '.trackside-purges.ndjson');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text.split('\n').flatMap((line) => (line ? [JSON.parse(line)] : []));
}

/** What was written and is gone without a line in the record; and weights that are gone at all. */
function unexplained(outputs: string, made: ReadonlyMap<string, number>): string[] {
  const told = recordOf(outputs).flatMap(({ path, files }) =>
    files.length > 0 ? files.map((file) => join(path, file)) : [path],
  );
  const isTold = (path: string) => told.some((each) => path === each || path.startsWith(`${each}/`));
  return [...made.keys()].filter((path) => {
    if (existsSync(join(outputs, path))) return false;
    const isWeights = /^[^/]+\/[^/]+\.safetensors$/.test(path);
    return isWeights || !isTold(join(outputs, path));
  });
}
