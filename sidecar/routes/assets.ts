import { type Context, Hono } from 'hono';
import { withoutLogin } from '../security/guard.js';
import type { Asset, Assets } from '../views/assets.js';

/** The files that pages load, under names that change with their content: they may be kept for ever. */
export function assetRoutes(assets: Assets): Hono {
  const routes = new Hono();

  routes.get(
    '/assets/:file',
    withoutLogin((c) => {
      const asset = assets.find(c.req.param('file') ?? '');
      return asset ? send(c, asset, 'public, max-age=31536000, immutable') : c.notFound();
    }),
  );

  /** Under the same name always, at the root of what it is for. */
  routes.get('/notifier.js', (c) => {
    const asset = assets.find(assets.href('notifier.js').replace('assets/', ''));
    return asset ? send(c, asset, 'no-cache') : c.notFound();
  });

  /** So that a phone keeps Trackside among its apps. Its addresses are relative: behind a prefix it works, too. */
  routes.get('/manifest.webmanifest', (c) => {
    const icon = (size: number) => ({
      src: assets.href(`icon-${size}.png`),
      sizes: `${size}x${size}`,
      type: 'image/png',
    });
    const manifest = {
      name: 'Trackside',
      short_name: 'Trackside',
      description: 'LoRA trainings on this machine',
      start_url: './',
      scope: './',
      display: 'standalone',
      background_color: '#131416',
      theme_color: '#0b6e4f',
      icons: [icon(192), icon(512)],
    };
    return c.body(JSON.stringify(manifest), 200, { 'Content-Type': 'application/manifest+json' });
  });

  return routes;
}

function send(c: Context, asset: Asset, cacheControl: string): Response {
  const accepted = c.req.header('accept-encoding') ?? '';
  const encoding = accepted.includes('br') ? 'br' : accepted.includes('gzip') ? 'gzip' : null;
  const body = encoding === 'br' ? asset.brotli : encoding === 'gzip' ? asset.gzip : asset.bytes;
  return c.body(new Uint8Array(body), 200, {
    'Content-Type': asset.type,
    // Of a worker: it asks this site, and loads nothing.
    'Content-Security-Policy': "default-src 'none'; connect-src 'self'",
    'Cache-Control': cacheControl,
    Vary: 'Accept-Encoding',
    ...(encoding ? { 'Content-Encoding': encoding } : {}),
  });
}
