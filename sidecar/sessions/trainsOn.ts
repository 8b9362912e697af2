import { dirname } from 'node:path';
import { readSubsets } from '../trainers/subsets.js';
import { liveOnes } from './active.js';
import type { SessionFacts } from './facts.js';

/** The name of a session that trains on a dataset at this moment, as its pictures or beside them; null where none does. */
export function trainsOn(all: readonly SessionFacts[], datasetPath: string): string | null {
  return liveOnes(all).find((facts) => datasetsOf(facts).includes(datasetPath))?.name ?? null;
}

function datasetsOf({ dataset_path, settings }: SessionFacts): string[] {
  if (!dataset_path) return [];
  const further = [settings.more_datasets, settings.reg_datasets].flatMap((lines) => {
    const read = readSubsets(typeof lines === 'string' ? lines : '');
    return 'wrong' in read ? [] : read.map(({ name }) => `${dirname(dataset_path)}/${name}`);
  });
  return [dataset_path, ...further];
}
