import type { MiddlewareHandler } from 'hono';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** For everything that is no page: opened by itself, a file from the outputs or the datasets may do nothing at all. */
const FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";

/**
 * What every answer says to the browser: nothing inline, nothing from elsewhere, no guessing of types, and to nobody where
 * a link came from. Pages say `same-origin` about themselves (layout.eta): without any referrer browsers post our own
 * forms with `Origin: null`, which on plain http nothing tells from a foreign page's.
 */
export function safeHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const page = c.res.headers.get('Content-Type')?.startsWith('text/html');
    c.header('Content-Security-Policy', page ? POLICY : FILE_POLICY);
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Referrer-Policy', 'no-referrer');
    c.header('Cross-Origin-Resource-Policy', 'same-origin');
    c.header('X-Frame-Options', 'DENY');
    if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store');
  };
}
