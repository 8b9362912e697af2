/**
 * Loaded into a sidecar by `node --import`: on SIGUSR2 it writes into TRACKSIDE_PROBE for how many milliseconds its event
 * loop has worked so far.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const path = process.env.TRACKSIDE_PROBE;
process.on('SIGUSR2', () => {
  writeFileSync(`${path}.new`, `${performance.eventLoopUtilization().active}`);
  renameSync(`${path}.new`, path);
});
