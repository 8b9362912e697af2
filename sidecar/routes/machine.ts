import { Hono } from 'hono';
import { offersSoon, readOffers } from '../launchers/slurm/offers.js';
import { hasCluster } from '../launchers/slurm/presence.js';
import { openStream } from '../live/stream.js';
import { rootOf } from '../request.js';
import type { Trackside } from '../trackside.js';
import type { MachineModel } from '../views/machine.js';
import { pageModel } from './home.js';
import { answer } from './respond.js';

/** How long the page waits for a cluster, in ms: then it shows what was known before. */
const CLUSTER_MS = 300;
const NO_CLUSTER = 'There is no cluster here: sbatch is not installed, or no slurm.conf is found (set SLURM_CONF).';

/** GPUs, processor, memory and disk now and in the last ten minutes, as a page or as JSON. */
export function machineRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { hub, machine, outputs, settings, views } = trackside;
  const model = async (root: string): Promise<MachineModel> => ({
    ...(await pageModel(trackside, root)),
    machine: machine.facts(),
    cluster: hasCluster(settings) ? await offersSoon(CLUSTER_MS) : null,
    running: (await outputs.list()).filter(({ attempts }) => attempts.at(-1)?.alive),
  });

  routes.get('/machine', (c) => answer(c, machine.facts(), async () => views.machine(await model(rootOf(c)))));

  routes.get('/cluster', async (c) => {
    const { queues, missing } = hasCluster(settings) ? await readOffers() : { queues: [], missing: NO_CLUSTER };
    return c.json({ queues, missing });
  });

  routes.get('/machine/events', (c) =>
    openStream(c, hub, {
      key: 'machine',
      concerns: ({ type }) => type === 'machine' || type === 'session' || type === 'disk' || type === 'logout',
      async draw() {
        const shown = await model('');
        const regions = { ...views.around(shown), machine: views.machinePart(shown) };
        return { title: null, news: views.news(shown), regions };
      },
    }),
  );

  return routes;
}
