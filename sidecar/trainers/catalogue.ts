import { Problem } from '../problem.js';
import { practiceTrainer } from './practice.js';
import type { Trainer } from './trainer.js';

/** What can be trained here, in the order of the form. `bridge` is the folder trainer-bridge. */
export function trainers({ bridge }: { bridge: string }): Trainer[] {
  return [practiceTrainer(bridge)];
}

/** The trainer of that id. Throws a Problem (422) that names those there are. */
export function findTrainer(settings: { bridge: string }, id: string): Trainer {
  const all = trainers(settings);
  const found = all.find((trainer) => trainer.id === id);
  if (found) return found;
  const there = all.map((trainer) => trainer.id).join(', ');
  throw new Problem('unknown_trainer', 422, `There is no trainer "${id}" here, only: ${there}.`, { field: 'trainer' });
}
