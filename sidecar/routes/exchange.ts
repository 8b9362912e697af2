import { Readable } from 'node:stream';
import { Hono } from 'hono';
import { rootOf } from '../request.js';
import { refuseSecretsIn } from '../security/refuseSecrets.js';
import { backUp, TAR_LINE } from '../sessions/exchange/backup.js';
import { exportSession } from '../sessions/exchange/export.js';
import { findDocuments, readDocumentFile } from '../sessions/exchange/found.js';
import { importSession } from '../sessions/exchange/import.js';
import { loraKey } from '../sessions/names.js';
import type { Trackside } from '../trackside.js';
import { readDocument } from './document.js';
import { pageModel } from './home.js';
import { loraPage } from './loras.js';
import { reportOf } from './report.js';
import { answerChange, attachment, readFields } from './respond.js';

/** Sessions as files: out, in from another pod, as a report, and all of their state as a backup. */
export function exchangeRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs, settings, views } = trackside;

  routes.get('/sessions/:name/export', async (c) => {
    const text = await exportSession(settings, await outputs.read(c.req.param('name')));
    c.header('Content-Disposition', `attachment; filename="training_metadata_${stamp(new Date())}.json"`);
    return c.body(text, 200, { 'Content-Type': 'application/json' });
  });

  routes.get('/sessions/:name/report', async (c) => {
    const name = c.req.param('name');
    const report = await reportOf(trackside, await outputs.read(name));
    return c.html(report, 200, attachment(`${name}-report.html`));
  });

  routes.get('/import', async (c) => {
    const found = await findDocuments(outputs.root);
    return c.html(
      views.import({ ...(await pageModel(trackside, rootOf(c))), found, outputs: outputs.root, tar: TAR_LINE }),
    );
  });

  routes.post('/sessions/import', async (c) => {
    const { session, left_out } = await importSession(trackside, await documentIn(c));
    const { facts } = session;
    const headers = { Location: encodeURIComponent(facts.name) };
    const relaunch = `sessions/${encodeURIComponent(facts.name)}/relaunch`;
    const page = loraPage(c, loraKey(facts), facts.name);
    return answerChange(c, { ...facts, left_out, relaunch }, { page, status: 201, headers });
  });

  routes.get('/backup', (c) => {
    const { signal } = c.req.raw;
    const zip = Readable.from(backUp(outputs.root, () => signal.aborted));
    return c.body(Readable.toWeb(zip) as ReadableStream<Uint8Array>, 200, {
      'Content-Type': 'application/zip',
      'Content-Disposition': `attachment; filename="trackside-backup_${stamp(new Date())}.zip"`,
    });
  });

  return routes;

  /** The file itself, or `found`: the name of one in the outputs folder. */
  async function documentIn(c: Parameters<typeof readDocument>[0]): Promise<Record<string, unknown>> {
    const type = c.req.header('content-type') ?? '';
    const named = c.req.query('found') ?? (type.includes('urlencoded') ? (await readFields(c)).found : undefined);
    if (named === undefined) return (await readDocument(c)).value;
    const document = await readDocumentFile(outputs.root, String(named));
    await refuseSecretsIn(document);
    return document;
  }
}

/** "20261130_024512" in UTC. */
function stamp(at: Date): string {
  return at.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '_');
}
