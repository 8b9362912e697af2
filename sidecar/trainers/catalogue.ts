import { Problem } from '../problem.js';
import type { Settings } from '../settings.js';
import { practiceTrainer } from './practice.js';
import { findCheckout } from './sdScripts/checkout.js';
import { families, findFamily } from './sdScripts/families.js';
import { sdScriptsTrainer } from './sdScripts/trainer.js';
import { TRACKED } from './tracked/trainer.js';
import type { Trainer } from './trainer.js';

/** The places where trainers are searched. */
export type Places = Pick<Settings, 'models' | 'sdScripts' | 'python' | 'root'>;

/** The trainers here, in the order of the form: practice, and sd-scripts' families if there is a checkout. */
export function trainers(places: Places): Trainer[] {
  const checkout = findCheckout(places);
  if ('missing' in checkout) return [practiceTrainer];
  return [practiceTrainer, ...families.map((family) => sdScriptsTrainer(family, checkout, places.models))];
}

/** The trainer of that id. Throws a Problem that says what it lacks, or names the available ones. */
export function findTrainer(places: Places, id: string | null): Trainer {
  if (id === null) {
    const message =
      'Neither its record nor its files say which trainer it needs. Write "trainer": "sd-scripts/flux" (or another) into its ui_state.json, or create a new training.';
    throw new Problem('unknown_trainer', message, { field: 'trainer' });
  }
  if (id === practiceTrainer.id) return practiceTrainer;
  if (id === TRACKED) {
    const message =
      'This training is a script of your own, with settings of its own. Resume and Start over run it as you started it.';
    throw new Problem('own_script', message, { field: 'trainer' });
  }
  const family = findFamily(id);
  if (family) {
    const checkout = findCheckout(places);
    if (!('missing' in checkout)) return sdScriptsTrainer(family, checkout, places.models);
    const message = `${id} needs kohya-ss/sd-scripts. ${checkout.missing} Clone it, or set TRACKSIDE_SD_SCRIPTS to its folder.`;
    throw new Problem('no_checkout', message, { field: 'trainer', about: 'trainers' });
  }
  const there = trainers(places)
    .map((trainer) => trainer.id)
    .join(', ');
  throw new Problem('unknown_trainer', `There is no trainer "${id}" here. Available: ${there}.`, { field: 'trainer' });
}
