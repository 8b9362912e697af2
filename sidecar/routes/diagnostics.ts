import { Hono } from 'hono';
import { repeatedWork } from '../caught.js';
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
  return new Hono().get('/diagnostics', async (c) => {
    const facts = await diagnose(trackside);
    return answer(c, facts, async () =>
      trackside.views.diagnostics({ ...(await pageModel(trackside, rootOf(c))), facts }),
    );
  });
}

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
