import { Hono } from 'hono';
import { withoutLogin } from '../security/guard.js';
import type { Assets } from '../views/assets.js';

/** The files that pages load, under names that change with their content: they may be kept for ever. */
export function assetRoutes(assets: Assets): Hono {
  return new Hono().get(
    '/assets/:file',
    withoutLogin((c) => {
      const asset = assets.find(c.req.param('file') ?? '');
      if (!asset) return c.notFound();
      const accepted = c.req.header('accept-encoding') ?? '';
      const encoding = accepted.includes('br') ? 'br' : accepted.includes('gzip') ? 'gzip' : null;
      const body = encoding === 'br' ? asset.brotli : encoding === 'gzip' ? asset.gzip : asset.bytes;
      return c.body(new Uint8Array(body), 200, {
        'Content-Type': asset.type,
        // Of a worker: it asks this site, and loads nothing.
        'Content-Security-Policy': "default-src 'none'; connect-src 'self'",
        'Cache-Control': 'public, max-age=31536000, immutable',
        Vary: 'Accept-Encoding',
        ...(encoding ? { 'Content-Encoding': encoding } : {}),
      });
    }),
  );
}
