import type { Launcher } from '../launcher.js';
import { cancel } from './cancel.js';
import { look } from './look.js';
import { find, submit } from './submit.js';

/** A Slurm cluster: each attempt is a job, whose script is the runner. It shares the outputs folder with this machine. */
export const slurm: Launcher = {
  id: 'slurm',
  offers: async () => ({ gpus: [], missing: 'The cluster was not looked at yet.', queues: [] }),
  submit,
  look,
  cancel,
  find,
};
