import { datasets } from './datasets.js';
import type { DescribedRoutes } from './described.js';
import { drafts } from './drafts.js';
import { machine } from './machine.js';
import { notices } from './notices.js';
import { pod } from './pod.js';
import { cleanup } from './purge.js';
import { queueing } from './queue.js';
import { sessions } from './sessions.js';
import { shares } from './shares.js';
import { sweeps } from './sweeps.js';
import { templates } from './templates.js';
import { versions } from './versions.js';

/** Every route of the app, by the part that it belongs to. `npm run check` names one that is missing. */
export const describedParts: Record<string, DescribedRoutes> = {
  Sessions: sessions,
  'LoRAs and versions': versions,
  'Templates and files': templates,
  Drafts: drafts,
  Sweeps: sweeps,
  Queue: queueing,
  Cleanup: cleanup,
  Datasets: datasets,
  'Machine and models': machine,
  Notices: notices,
  Pod: pod,
  'Read-only links': shares,
};
