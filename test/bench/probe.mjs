/**
 * Loaded into a sidecar by `node --import`: on SIGUSR2 it writes into TRACKSIDE_PROBE for how many milliseconds it has used
 * the processor so far, with all of its threads. Unlike the time that the event loop was busy, other programs add nothing.
 */
import { renameSync, writeFileSync } from 'node:fs';

const path = process.env.TRACKSIDE_PROBE;
process.on('SIGUSR2', () => {
  const { user, system } = process.cpuUsage();
  writeFileSync(`${path}.new`, `${(user + system) / 1000}`);
  renameSync(`${path}.new`, path);
});
