import type { MiddlewareHandler } from 'hono';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "form-action 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** For everything but pages: a file from the outputs or the datasets may do nothing if opened by itself. */
const FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";

/**
 * Sets the rules of every answer: nothing inline, nothing from other sites, no guessing of types, no referrer. Pages allow
 * themselves `same-origin` (layout.eta): without a referrer browsers post our own forms with `Origin: null`, like a foreign
 * page's on plain http.
 */
export function safeHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const page = c.res.headers.get('Content-Type')?.startsWith('text/html');
    const own = c.res.headers.get('Content-Security-Policy');
    c.header('Content-Security-Policy', page ? POLICY : (own ?? FILE_POLICY));
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Referrer-Policy', 'no-referrer');
    c.header('Cross-Origin-Resource-Policy', 'same-origin');
    c.header('X-Frame-Options', 'DENY');
    if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store');
  };
}
