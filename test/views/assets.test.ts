import { fileURLToPath } from 'node:url';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { assetRoutes } from '../../sidecar/routes/assets.js';
import { loadAssets } from '../../sidecar/views/assets.js';
import { createViews } from '../../sidecar/views/pages.js';
import { now, session } from './samples.js';

const templates = fileURLToPath(new URL('../../templates', import.meta.url));
const assets = loadAssets(templates);
const views = createViews({ templates, assets });

test('The first page loads 30 kB of JavaScript and CSS at most, compressed', () => {
  const page = views.home({
    root: '',
    now,
    active: [],
    cards: [session()],
    sessions: [],
    total: 0,
    query: '',
    page: 1,
    pages: 1,
  });
  const loaded = [...page.matchAll(/(?:src|href)="assets\/([^"]+\.(?:js|css))"/g)].map(([, name]) => String(name));
  expect(loaded.map((name) => name.split('.')[0])).toEqual(['trackside', 'trackside']);
  const sum = loaded.reduce((bytes, name) => bytes + (assets.find(name)?.gzip.length ?? Number.NaN), 0);
  console.log(`The first page loads ${sum} bytes of gzipped JavaScript and CSS in ${loaded.length} files.`);
  expect(sum).toBeLessThanOrEqual(30_000);
});

test('An asset has its content in its name and is whole in both compressions', () => {
  const href = assets.href('live.js');
  expect(href).toMatch(/^assets\/live\.[0-9a-f]{10}\.js$/);
  const asset = assets.find(href.slice('assets/'.length));
  if (!asset) throw new Error('not found');
  expect(asset.type).toBe('text/javascript; charset=utf-8');
  expect(gunzipSync(asset.gzip)).toEqual(asset.bytes);
  expect(brotliDecompressSync(asset.brotli)).toEqual(asset.bytes);
});

test('Nothing but an asset is found by a name', () => {
  for (const name of ['live.js', '../package.json', 'live.0000000000.js', '', '__proto__']) {
    expect(assets.find(name)).toBeUndefined();
  }
});

test.each([
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip', 'gzip'],
  ['', null],
])('A browser that accepts "%s" is sent that, to be kept for ever', async (accepted, encoding) => {
  const routes = assetRoutes(assets);
  const answer = await routes.request(`/${assets.href('trackside.css')}`, { headers: { 'Accept-Encoding': accepted } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-encoding')).toBe(encoding);
  expect(answer.headers.get('content-type')).toBe('text/css; charset=utf-8');
  expect(answer.headers.get('cache-control')).toContain('immutable');
  expect((await routes.request('/assets/trackside.css')).status).toBe(404);
});
