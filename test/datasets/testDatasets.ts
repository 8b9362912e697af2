import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import sharp from 'sharp';
import { onTestFinished } from 'vitest';
import { Problem } from '../../sidecar/problem.js';
import { problemStatus } from '../../sidecar/problemStatus.js';
import { type DatasetPages, datasetRoutes } from '../../sidecar/routes/datasets.js';

/** The routes on a temporary folder of datasets, answering Problems as the app does; pages print their models. */
export async function testDatasets() {
  const home = await mkdtemp(join(tmpdir(), 'trackside-datasets-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const datasets = join(home, 'datasets');
  const pages: DatasetPages = {
    datasets: (model) => `<h1>Datasets</h1>${JSON.stringify(model)}`,
    dataset: (model) => `<h1>Dataset</h1>${JSON.stringify(model)}`,
  };
  const app = new Hono();
  app.route(
    '/',
    datasetRoutes({
      datasets,
      pages,
      userOf: async () => null,
    }),
  );
  app.onError((error, c) => {
    if (!(error instanceof Problem)) throw error;
    return c.json(
      { error: { code: error.code, message: error.message, field: error.field } },
      problemStatus[error.code],
    );
  });
  const ask = async (method: string, path: string, body?: Body, headers: Record<string, string> = {}) =>
    app.request(path, { method, body, headers, duplex: 'half' } as RequestInit);
  return {
    home,
    datasets,
    app,
    ask,
    create: (name: string) =>
      ask('POST', '/datasets', JSON.stringify({ name }), { 'content-type': 'application/json' }),
    detail: (name: string) => facts(ask('GET', `/datasets/${encodeURIComponent(name)}`)),
    /** Every file below the datasets, hidden ones too. */
    files: async () =>
      (await readdir(datasets, { recursive: true, withFileTypes: true }).catch(() => []))
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(datasets.length + 1))
        .sort(),
    content: (file: string) => readFile(join(datasets, file)),
  };
}

export type Body = string | Buffer | FormData;

/** An answer's facts. */
// biome-ignore lint/suspicious/noExplicitAny: a test looks into it freely, and fails where it is not as thought
export async function facts(answer: Response | Promise<Response>): Promise<any> {
  return (await answer).json();
}

/** The same app behind a real server on a free port of the loopback. */
export async function served(app: Hono) {
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
  await new Promise((ready) => server.once('listening', ready));
  onTestFinished(() => new Promise<void>((done) => server.close(() => done())));
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}` };
}

/** A picture of noise, different each time. */
export async function picture(format: 'png' | 'jpeg' | 'webp' = 'png', width = 64, height = 48): Promise<Buffer> {
  const raw = randomBytes(width * height * 3);
  return sharp(raw, { raw: { width, height, channels: 3 } })
    .toFormat(format)
    .toBuffer();
}

/** A BMP of 24 bits a pixel. */
export function bmp(width = 8, height = 8): Buffer {
  const row = Math.ceil((width * 24) / 32) * 4;
  const file = Buffer.alloc(54 + row * height);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  return file;
}
