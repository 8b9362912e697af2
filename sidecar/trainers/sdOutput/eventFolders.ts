import { readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { realInside } from '../../security/paths.js';
import type { Dialect } from '../dialect.js';
import { readLossCurve } from './lossCurve.js';
import { readScalars } from './scalars.js';
import { readSeries } from './series.js';

/** sd-scripts' TensorBoard event files: each start makes a folder of its own in `logs/`. */
export const eventFolders: Dialect['metrics'] = {
  async runs(folder) {
    const runs = [];
    for (const each of await foldersIn(folder)) runs.push((await readScalars(each)).points);
    return runs;
  },
  async losses(folder) {
    const curves = [];
    for (const each of await foldersIn(folder)) curves.push(await readLossCurve(each));
    return curves;
  },
  async series(folder) {
    const runs = [];
    for (const each of await foldersIn(folder)) runs.push(await readSeries(each));
    return runs;
  },
  // `loss/epoch` until 2025-01.
  countedBy: (tag) => (/^loss\/(epoch$|epoch_average$|validation\/epoch_)/.test(tag) ? 'epochs' : 'own steps'),
};

/** Where trainers write event files: sd-scripts' `logs/`, and what others call it. */
const PLACES = ['logs', 'log', 'tensorboard', 'tb', 'runs'];

/**
 * A folder for each start, oldest first. The folders below it, made by `add_scalars` and for hyperparameters, belong to the
 * same start. A file directly in `logs/`, or in the output folder, is a start of its own.
 */
async function foldersIn(outputFolder: string): Promise<string[]> {
  const names: readonly string[] = await readdir(outputFolder).catch(ifUnreadable([], 'trainers'));
  const starts = new Map<string, number>();
  const add = (start: string, file: string) => {
    starts.set(start, Math.min(starts.get(start) ?? Number.POSITIVE_INFINITY, begunAt(file)));
  };
  for (const name of names) if (isEventFile(name)) add(join(outputFolder, name), name);
  for (const place of PLACES.filter((each) => names.includes(each))) {
    const inside = await realInside(dirname(outputFolder), join(outputFolder, place)).catch(
      ifUnreadable(null, 'trainers'),
    );
    if (!inside) continue;
    const found = await readdir(inside, { recursive: true, withFileTypes: true }).catch(ifUnreadable([], 'trainers'));
    for (const entry of found) {
      if (entry.isFile() && isEventFile(entry.name))
        add(startOf(inside, join(entry.parentPath, entry.name)), entry.name);
    }
  }
  return [...starts].sort(([a, one], [b, other]) => one - other || (a < b ? -1 : 1)).map(([start]) => start);
}

function isEventFile(name: string): boolean {
  return name.startsWith('events.out.tfevents.');
}

/** Seconds since 1970, from an event file's name (torch: `events.out.tfevents.<time>.<host>.<pid>.<count>`). */
function begunAt(file: string): number {
  return Number(/\.tfevents\.(\d{1,15})/.exec(file)?.[1] ?? 0);
}

/** `20260203100000` (sd-scripts), `2026-02-03_10-00-00` (OneTrainer), `Feb03_10-00-00_host` (torch). */
const DATED = /\d{14}|\d{2}[-_T]\d{2}-\d{2}-\d{2}|\d{8}[-_T]\d{6}/;

function startOf(logs: string, file: string): string {
  const parts = relative(logs, file).split('/');
  const dated = parts.findIndex((part) => DATED.test(part));
  return join(logs, ...parts.slice(0, Math.max(0, dated) + 1));
}
