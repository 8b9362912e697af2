import { Readable } from 'node:stream';
import type { Context } from 'hono';
import { LARGEST_PICTURE } from '../datasets/receive.js';
import { Problem } from '../problem.js';

/** Gives the body to `use`, and on a refusal reads its rest: a browser shows an answer only once it has sent everything. */
export async function takeBody<T>(c: Context, use: (chunks: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
  const body = c.req.raw.body;
  if (!body) return use(Readable.from([]));
  try {
    // Cancelling would close the connection under the answer.
    return await use(body.values({ preventCancel: true }));
  } catch (error) {
    if (error instanceof Problem) await readRest(body);
    else if (c.req.raw.signal.aborted) throw new Problem('upload_cut_off', 'The upload broke off. Upload it again.');
    throw error;
  }
}

async function readRest(body: ReadableStream<Uint8Array>): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of body.values({ preventCancel: true })) {
      bytes += chunk.length;
      if (bytes > LARGEST_PICTURE) return;
    }
  } catch {
    // silent: the sender is gone: nobody waits for the answer.
  }
}

export function isForm(c: Context): boolean {
  return ['application/x-www-form-urlencoded', 'multipart/form-data'].includes(typeOf(c));
}

/** The media type of the body, without its parameters; '' where none is said. */
export function typeOf(c: Context): string {
  return (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}
