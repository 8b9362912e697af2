import type { Context } from 'hono';
import { Problem } from '../problem.js';
import { MASKED } from '../security/maskAnswers.js';
import { streamMasked } from '../security/maskedFile.js';
import { openInside } from '../security/paths.js';
import { attachment } from './respond.js';

/**
 * Sends a file below `root`, or the range of it that was asked for, in bounded memory; `masked` strikes out secrets, of
 * which a range may hold but a part. A download that goes on (`If-Range`) gets the whole file where it is another one by
 * now. `part` sends but those bytes of a file that only grows, as a file of its own. Throws a Problem: 404 where there is no such plain file, 422 where a link leads out of `root`.
 */
export async function sendFile(
  c: Context,
  root: string,
  path: string,
  as: {
    type: string;
    attachment?: string;
    cache?: string;
    masked?: boolean;
    part?: { from: number; to: number };
  },
): Promise<Response> {
  const file = await openInside(root, path);
  if (!file) throw new Problem('no_file', 'There is no such file; it may have been moved or deleted.');
  const stats = await file.stat();
  const begin = Math.min(as.part?.from ?? 0, stats.size);
  const size = Math.min(as.part?.to ?? stats.size, stats.size) - begin;
  // A part that has ended stays the same however the file grows.
  const changed = as.part && as.part.to <= stats.size ? begin : Math.round(stats.mtimeMs);
  const headers: Record<string, string> = {
    'Content-Type': as.type,
    'Accept-Ranges': 'bytes',
    ETag: `"${[stats.ino, changed, size].map((each) => each.toString(36)).join('-')}"`,
    'Cache-Control': as.cache ?? 'private, no-cache',
    ...(as.attachment ? attachment(as.attachment) : {}),
  };
  if (c.req.header('if-none-match') === headers.ETag) {
    await file.close();
    return c.body(null, 304, headers);
  }
  const goesOn = (c.req.header('if-range') ?? headers.ETag) === headers.ETag;
  const range = goesOn ? readRange(c.req.header('range'), size) : null;
  if (range === 'unsatisfiable') {
    await file.close();
    return c.body(null, 416, { 'Content-Range': `bytes */${size}` });
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  headers['Content-Length'] = String(end - start + 1);
  if (range) headers['Content-Range'] = `bytes ${start}-${end}/${size}`;
  if (c.req.method === 'HEAD' || size === 0) {
    await file.close();
    return c.body(null, range ? 206 : 200, headers);
  }
  if (as.masked) headers[MASKED] = 'yes';
  const stream = as.masked
    ? streamMasked(file, begin + start, begin + end + 1)
    : file.createReadStream({ start: begin + start, end: begin + end, autoClose: true });
  return c.body(ReadableStream.from(stream) as ReadableStream<Uint8Array>, range ? 206 : 200, headers);
}

/** `bytes=0-99`, `bytes=100-`, `bytes=-100`; null for no range or one of several, which is answered whole. */
function readRange(header: string | undefined, size: number): { start: number; end: number } | 'unsatisfiable' | null {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!found || (found[1] === '' && found[2] === '')) return null;
  const [, from = '', to = ''] = found;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return start > end || start >= size ? 'unsatisfiable' : { start, end };
}
