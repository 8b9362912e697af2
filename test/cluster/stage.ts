import { afterAll, beforeAll } from 'vitest';
import { makeTestSidecars, type Sidecar, type TestSidecars } from '../sidecar.js';
import { type ClusterOptions, startCluster, type TestCluster } from './cluster.js';
import { placeDataset } from './trainings.js';

/** The one cluster, the folders and the sidecar of the tests that call `onCluster`. */
export let cluster: TestCluster;
export let place: TestSidecars;
export let sidecar: Sidecar;

let serve: () => Promise<Sidecar>;

/** Starts them before the first test, and ends them after the last. `more`: what the sidecar gets in its environment. */
export function onCluster(options: ClusterOptions = {}, more: NodeJS.ProcessEnv = {}): void {
  beforeAll(async () => {
    cluster = await startCluster(options);
    place = makeTestSidecars();
    placeDataset(place);
    serve = () => place.serve({ ...cluster.environment, ...more });
    sidecar = await serve();
  });
  afterAll(async () => {
    await place?.leave();
    await cluster?.leave();
  });
}

/** Another sidecar in the place of one that was killed. */
export async function serveAgain(): Promise<void> {
  sidecar = await serve();
}
