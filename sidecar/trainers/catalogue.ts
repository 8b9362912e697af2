import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../problem.js';
import type { Settings } from '../settings.js';
import { practiceTrainer } from './practice.js';
import type { Asking } from './script/ask.js';
import { findScripts } from './script/found.js';
import { scriptTrainer } from './script/trainer.js';
import { findCheckout } from './sdScripts/checkout.js';
import { families, findFamily } from './sdScripts/families.js';
import { sdScriptsTrainer } from './sdScripts/trainer.js';
import { TRACKED } from './tracked/trainer.js';
import type { Trainer } from './trainer.js';

/** The places where trainers are searched. */
export type Places = Pick<Settings, 'models' | 'sdScripts' | 'python' | 'root' | 'private' | 'trainers'>;

/** The trainers here, in the order of the form: practice, those families of sd-scripts whose script the checkout has, and the user's scripts. */
export function trainers(places: Places): Trainer[] {
  const checkout = findCheckout(places);
  const own = findScripts(places).map((script) => scriptTrainer(script, askingOf(places)));
  if ('missing' in checkout) return [practiceTrainer, ...own];
  const here = families.filter(({ script }) => existsSync(join(checkout.path, script)));
  return [practiceTrainer, ...here.map((family) => sdScriptsTrainer(family, checkout, places.models)), ...own];
}

/** How the user's scripts are asked for their arguments. */
export function askingOf(places: Pick<Places, 'python' | 'private'>): Asking {
  return { python: places.python, kept: join(places.private, 'described') };
}

/** The trainer of that id. Throws a Problem that says what it lacks, or names the available ones. */
export function findTrainer(places: Places, id: string | null): Trainer {
  if (id === null) {
    const message =
      'Neither its settings nor its files say which trainer it needs. Write "trainer": "sd-scripts/flux" (or another) into its ui_state.json, or create a new training.';
    throw new Problem('unknown_trainer', message, { field: 'trainer' });
  }
  if (id === practiceTrainer.id) return practiceTrainer;
  if (id === TRACKED) {
    const message =
      'This training is a script of your own, with settings of its own. Resume and Start over run it as you started it.';
    throw new Problem('own_script', message, { field: 'trainer' });
  }
  if (id.startsWith('script/')) {
    const script = findScripts(places).find((each) => each.id === id);
    if (script) return scriptTrainer(script, askingOf(places));
    const message = `The script of ${id} is no longer among the trainers. Add it again: trackside add <script>.`;
    throw new Problem('unknown_trainer', message, { field: 'trainer', about: 'trainers' });
  }
  const family = findFamily(id);
  if (family) {
    const checkout = findCheckout(places);
    if (!('missing' in checkout)) {
      const script = join(checkout.path, family.script);
      if (existsSync(script)) return sdScriptsTrainer(family, checkout, places.models);
      const message = `${family.label} needs ${family.script}, which this sd-scripts (${checkout.path}) does not have: it is older. Update it: git -C ${checkout.path} pull.`;
      throw new Problem('no_script', message, { field: 'trainer', about: 'trainers' });
    }
    const message = `${id} needs kohya-ss/sd-scripts. ${checkout.missing} Clone it, or set TRACKSIDE_SD_SCRIPTS to its folder.`;
    throw new Problem('no_checkout', message, { field: 'trainer', about: 'trainers' });
  }
  const there = trainers(places)
    .map((trainer) => trainer.id)
    .join(', ');
  throw new Problem('unknown_trainer', `There is no trainer "${id}" here. Available: ${there}.`, { field: 'trainer' });
}
