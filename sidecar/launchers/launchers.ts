import type { JobRef, Launcher } from './launcher.js';
import { local } from './local.js';
import { slurm } from './slurm/slurm.js';

const launchers: Record<Launcher['id'], Launcher> = { local, slurm };

/** The launcher of an attempt; without a recorded job, this machine's. */
export function launcherOf(job: JobRef | null): Launcher {
  return launchers[job?.launcher ?? 'local'];
}
