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

/**
 * A folder for each start, oldest first: their names begin with its time. The folders below it, made by `add_scalars` and for
 * hyperparameters, belong to the same start. A file directly in `logs/` is a start of its own.
 */
async function foldersIn(outputFolder: string): Promise<string[]> {
  const inside = await realInside(dirname(outputFolder), join(outputFolder, 'logs')).catch(
    ifUnreadable(null, 'trainers'),
  );
  const found = inside
    ? await readdir(inside, { recursive: true, withFileTypes: true }).catch(ifUnreadable([], 'trainers'))
    : [];
  const files = found.filter((entry) => entry.isFile() && entry.name.startsWith('events.out.tfevents.'));
  return [...new Set(files.map((entry) => startOf(inside ?? '', join(entry.parentPath, entry.name))))].sort();
}

function startOf(logs: string, file: string): string {
  const parts = relative(logs, file).split('/');
  const dated = parts.findIndex((part) => /\d{14}/.test(part));
  return join(logs, ...parts.slice(0, Math.max(0, dated) + 1));
}
