import type { KnownCause } from './cause.js';
import { FILE_CAUSES } from './fileCauses.js';
import { GPU_CAUSES } from './gpuCauses.js';
import { HUB_CAUSES } from './hubCauses.js';
import { MACHINE_CAUSES } from './machineCauses.js';
import { SETTINGS_CAUSES } from './settingsCauses.js';
import { SOFTWARE_CAUSES } from './softwareCauses.js';

/** In the order in which they are tried: the more particular first. */
export const KNOWN_CAUSES: readonly KnownCause[] = [
  ...GPU_CAUSES,
  ...MACHINE_CAUSES,
  ...HUB_CAUSES,
  ...SOFTWARE_CAUSES,
  ...FILE_CAUSES,
  ...SETTINGS_CAUSES,
];
