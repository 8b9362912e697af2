import { parse } from 'node:path';
import { explainEnd } from '../causes/explainEnd.js';
import type { Dialect, Saved } from '../dialect.js';
import { isSample, isWeights, newestTrackedSample, readTrackedCheckpoints, readTrackedSamples } from './products.js';
import { trackedReader } from './reader.js';
import { trackedMetrics } from './series.js';
import { stateStep, trackedStates } from './states.js';

/** The dialect of `import trackside`: metrics.ndjson, and state folders with a manifest. */
export const tracked: Dialect = {
  console: trackedReader,
  outputName: () => null,
  nameBehind(entry) {
    if (isWeights(entry)) return { is: 'checkpoint', outputName: parse(entry).name };
    return stateStep(entry) === null ? null : { is: 'state', outputName: null };
  },
  saved,
  // A training that starts over begins new metrics, and overwrites what its own code overwrites.
  overwrites: (entry, _, firstEpoch) =>
    firstEpoch === null && (saved(entry) !== null || ['sample', 'checkpoints.json'].includes(entry)),
  checkpoints: readTrackedCheckpoints,
  final: { name: (outputName) => `${outputName}.safetensors`, wrong: async () => null },
  completes: 'by its word',
  absoluteSteps: true,
  states: trackedStates,
  samples: {
    folder: 'sample',
    isName: isSample,
    read: readTrackedSamples,
    listed: readTrackedSamples,
    isWhole: async () => true,
    newest: newestTrackedSample,
  },
  metrics: trackedMetrics,
  explain: (log, exit, argv) => explainEnd(log, exit, { argv }),
};

function saved(entry: string): Saved | null {
  const number = stateStep(entry);
  if (number !== null) return { is: 'state', kind: 'step', number };
  return isWeights(entry) ? { is: 'checkpoint', kind: 'final', number: null } : null;
}
