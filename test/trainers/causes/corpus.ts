import { broken } from './corpus/broken.js';
import { decoys } from './corpus/decoys.js';
import { gpu } from './corpus/gpu.js';
import { hub } from './corpus/hub.js';
import { machine } from './corpus/machine.js';
import { more } from './corpus/more.js';
import { ownWords } from './corpus/ownWords.js';
import { realOnes } from './corpus/real.js';
import { reported } from './corpus/reported.js';
import { settings } from './corpus/settings.js';
import { software } from './corpus/software.js';
import { unknowns } from './corpus/unknowns.js';
import { unseen } from './corpus/unseen.js';
import type { Row } from './logs.js';

/** Logs of trainings that ended, and what is to be said of each. */
export const CORPUS: Record<string, Row[]> = {
  gpu,
  hub,
  machine,
  software,
  settings,
  unknowns,
  unseen,
  ownWords,
  decoys,
  reported,
  more,
  real: realOnes,
  broken,
};
