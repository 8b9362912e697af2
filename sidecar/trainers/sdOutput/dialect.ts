import { readSafetensors } from '../../files/safetensors.js';
import { explainEnd } from '../causes/explainEnd.js';
import type { Dialect, Saved } from '../dialect.js';
import { flagValue } from '../trainingCommand.js';
import { readCheckpoints } from './checkpoints.js';
import { consoleReader } from './consoleReader.js';
import { eventFolders } from './eventFolders.js';
import {
  checkpointName,
  isWeights,
  outputNameBehind,
  readCheckpointName,
  readSampleName,
  readStateName,
} from './fileNames.js';
import { checkpointsBelow } from './placesBelow.js';
import { resumeRecipe } from './resumeRecipe.js';
import { isWholeSample, listSamples, newestSample, readSamples } from './samples.js';
import { samplingPlan } from './samplingPlan.js';
import { whatIsDamaged } from './stateDamage.js';
import { hasCompleteState, readStateFolders } from './stateFolders.js';
import { positionByName, stepsPerEpochOf } from './stepCounts.js';

/** The dialect of sd-scripts and the practice trainer. */
export const sdOutput: Dialect = {
  console: consoleReader,
  outputName: (argv) => flagValue(argv, '--output_name'),
  nameBehind(entry) {
    const outputName = outputNameBehind(entry);
    return outputName === null ? null : { is: isWeights(entry) ? 'checkpoint' : 'state', outputName };
  },
  saved,
  overwrites(entry, outputName, firstEpoch) {
    const file = saved(entry, outputName);
    if (!file) return firstEpoch === null && ['sample', 'logs'].includes(entry);
    // Always for step names: their count restarts.
    return firstEpoch === null || file.kind !== 'epoch' || file.number >= firstEpoch;
  },
  checkpoints: readCheckpoints,
  checkpointsBelow,
  final: {
    name: (outputName) => checkpointName(outputName, { kind: 'final', number: null }),
    async wrong(path) {
      const header = await readSafetensors(path);
      return typeof header === 'string' ? header : null;
    },
  },
  states: {
    read: readStateFolders,
    hasComplete: hasCompleteState,
    damage: whatIsDamaged,
    stepsPerEpoch: stepsPerEpochOf,
    recipe: (state, { stepsPerEpoch, writer }) =>
      stepsPerEpoch === null ? null : resumeRecipe(state, stepsPerEpoch, writer),
    position: positionByName,
  },
  samples: {
    folder: 'sample',
    isName: (file) => readSampleName(file) !== null,
    read: readSamples,
    listed: listSamples,
    isWhole: isWholeSample,
    newest: newestSample,
    plan: samplingPlan,
  },
  metrics: eventFolders,
  explain: (log, exit, argv) => explainEnd(log, exit, { argv }),
};

function saved(entry: string, outputName: string): Saved | null {
  const checkpoint = readCheckpointName(entry, outputName);
  if (checkpoint) return { is: 'checkpoint', ...checkpoint };
  const state = readStateName(entry, outputName);
  return state && { is: 'state', ...state };
}
