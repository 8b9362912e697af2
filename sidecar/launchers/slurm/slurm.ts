import type { Launcher } from '../launcher.js';
import { cancel } from './cancel.js';
import { look } from './look.js';
import { readOffers } from './offers.js';
import { find, submit } from './submit.js';

/** A Slurm cluster: each attempt is a job, whose script is the runner. It shares the outputs folder with this machine. */
export const slurm: Launcher = {
  id: 'slurm',
  offers: readOffers,
  submit,
  look,
  cancel,
  find,
};
