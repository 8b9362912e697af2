import { Hono } from 'hono';
import { repeatedWork, within } from '../caught.js';
import type { Check } from '../doctor/check.js';
import { examine } from '../doctor/examine.js';
import { openStreamCount } from '../live/stream.js';
import { lastLines } from '../log.js';
import { rootOf } from '../request.js';
import { readEnvironment } from '../sessions/attempt/environment.js';
import type { Trackside } from '../trackside.js';
import { trainers } from '../trainers/catalogue.js';
import { findCheckout } from '../trainers/sdScripts/checkout.js';
import type { DiagnosticsFacts } from '../views/diagnostics.js';
import { pageModel } from './home.js';
import { answer } from './respond.js';

/** What somebody needs who looks for the cause of something: what runs here, what it does, and what it said last. */
export function diagnosticsRoutes(trackside: Trackside): Hono {
  const routes = new Hono();

  routes.get('/diagnostics', async (c) => {
    const facts = await diagnose(trackside);
    return answer(c, facts, async () => {
      // Torch alone may take many seconds: the page says how to see the rest.
      const checks = await within<Check[] | null>(
        PATIENCE_MS,
        examine(trackside.settings, { hub: false, nodes: false }),
        () => null,
      );
      return trackside.views.diagnostics({ ...(await pageModel(trackside, rootOf(c))), facts, checks });
    });
  });

  routes.get('/diagnostics/checks', async (c) => {
    const { hub, nodes } = c.req.query();
    return c.json(await examine(trackside.settings, { hub: hub === '1', nodes: nodes === '1' }));
  });

  return routes;
}

const PATIENCE_MS = 3000;

async function diagnose({ settings, outputs, hub, notices, disk, login }: Trackside): Promise<DiagnosticsFacts> {
  const { python, torch, accelerate, system } = await readEnvironment(settings.python);
  const { token, pod, root, templates, version, build, ...own } = settings;
  const checkout = findCheckout(settings);
  const log = [...lastLines()];
  return {
    versions: { trackside: version, build, node: process.version, python, torch, accelerate, system },
    uptime_seconds: Math.round(process.uptime()),
    memory_bytes: process.memoryUsage.rss(),
    settings: { ...own, login: login !== null, token: login && (token === '' ? 'made by Trackside' : 'given') },
    trainers: trainers(settings).map(({ id }) => id),
    sd_scripts: 'missing' in checkout ? null : checkout.path,
    followed: outputs.followed(),
    streams: openStreamCount(hub),
    disk_troubles: disk.troubles(),
    notices: notices.list(),
    work: repeatedWork(),
    errors: log.filter(({ level }) => level === 'warn' || level === 'error').slice(-50),
    log,
  };
}
