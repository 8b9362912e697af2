import type { Context, MiddlewareHandler } from 'hono';
import { maskStream } from './maskStream.js';
import { hiddenValues, maskedText } from './redact.js';

/** Marks an answer that was masked while it was read. Only `maskAnswers` sees this header. */
export const MASKED = 'X-Masked';

/**
 * Masks secrets in every text answer of every route. Event streams are masked message by message (live/stream.ts), logs as
 * they are read (maskedFile.ts); pictures, weights and our own scripts are not.
 */
export function maskAnswers(): MiddlewareHandler {
  const mask = rememberLast(maskedText);
  return async (c, next) => {
    const made = maskWhatIsMade(c, mask);
    await next();
    if (made()) return;
    const { headers, body } = c.res;
    if (headers.has(MASKED)) headers.delete(MASKED);
    else if (body && isText(headers)) c.res = new Response(body.pipeThrough(maskStream()), c.res);
  };
}

/** Masks text before it becomes a Response, at half the cost. The result says whether the answer was one of these. */
function maskWhatIsMade(c: Context, mask: (text: string) => string): () => boolean {
  let made = false;
  const { html, text } = c;
  type Made = (body: string, ...rest: unknown[]) => Response;
  const masking =
    (make: Made) =>
    (body: string | Promise<string>, ...rest: unknown[]) => {
      made = true;
      return typeof body === 'string' ? make(mask(body), ...rest) : body.then((whole) => make(mask(whole), ...rest));
    };
  c.html = masking(html as Made) as typeof html;
  c.text = masking(text as Made) as typeof text;
  c.json = ((facts: unknown, ...rest: unknown[]) => {
    made = true;
    c.header('Content-Type', 'application/json');
    return (c.body as Made)(mask(JSON.stringify(facts)), ...rest);
  }) as typeof c.json;
  return () => made;
}

function isText(headers: Headers): boolean {
  return !headers.has('Content-Encoding') && TEXT.test(headers.get('Content-Type') ?? '');
}

const TEXT = /^(?:text\/(?!event-stream|css|javascript)|application\/(?:json|xml|x-ndjson|x-sh)|image\/svg)/i;

/** Remembers the last text: a page with many viewers stays the same for a while. */
function rememberLast(mask: (text: string) => string): (text: string) => string {
  let last: { text: string; of: readonly string[]; result: string } | undefined;
  return (text) => {
    const of = hiddenValues();
    if (last?.text !== text || last.of !== of) last = { text, of, result: mask(text) };
    return last.result;
  };
}
