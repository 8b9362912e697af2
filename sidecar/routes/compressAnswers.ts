import { promisify } from 'node:util';
import { gzip as gzipInBackground, gzipSync } from 'node:zlib';
import type { Context, MiddlewareHandler } from 'hono';

const gzipLater = promisify<string, { level: number }, Buffer>(gzipInBackground);

/** Bytes. What is smaller fits into a packet anyway; what is larger is compressed beside the event loop. */
const SMALLEST = 1024;
const LARGE = 256 * 1024;
/** 0.3 ms for 50 kB; the best level saves 3 % more. */
const LEVEL = 4;

/**
 * Compresses pages and facts for those who accept gzip, once for all who get the same text. Streams, files and their ranges
 * go out as they are. Stands around `maskAnswers`, which reads text. Hono's own middleware compresses through web streams,
 * which takes three times as long. No page holds a secret (all are struck out), so the length of one tells nothing (BREACH).
 *
 * @example app.use(compressAnswers());
 */
export function compressAnswers(): MiddlewareHandler {
  const gzip = rememberLast();
  return async (c, next) => {
    const { html, text, body } = c;
    type Make = (body: unknown, ...rest: unknown[]) => Response | Promise<Response>;
    const compressing =
      (make: Make, type?: string): Make =>
      (made, ...rest) => {
        if (typeof made !== 'string' || made.length < SMALLEST) return make(made, ...rest);
        c.header('Vary', 'Accept-Encoding', { append: true });
        if (!acceptsGzip(c)) return make(made, ...rest);
        if (type) c.header('Content-Type', type);
        c.header('Content-Encoding', 'gzip');
        const bytes = gzip(made);
        return bytes instanceof Promise
          ? bytes.then((all) => (body as Make)(all, ...rest))
          : (body as Make)(bytes, ...rest);
      };
    c.html = compressing(html as Make, 'text/html; charset=UTF-8') as typeof html;
    c.text = compressing(text as Make, 'text/plain; charset=UTF-8') as typeof text;
    c.body = compressing(body as Make) as typeof body;
    await next();
  };
}

function acceptsGzip(c: Context): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(c.req.header('accept-encoding') ?? '');
}

/** A page that many look at is the same text for a while. */
function rememberLast(): (text: string) => Buffer | Promise<Buffer> {
  let last = { text: '', bytes: Buffer.alloc(0) };
  return (text) => {
    if (text.length > LARGE) return gzipLater(text, { level: LEVEL });
    if (last.text !== text) last = { text, bytes: gzipSync(text, { level: LEVEL }) };
    return last.bytes;
  };
}
