import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import type { Context } from 'hono';
import { ZipFile } from 'yazl';
import { ifMissing } from '../caught.js';
import { PictureProblem } from '../datasets/pictureProblem.js';
import { thumbnail } from '../datasets/thumbnails.js';
import { log } from '../log.js';
import { Problem } from '../problem.js';
import { openInside, realInside } from '../security/paths.js';
import type { Session } from '../sessions/status/session.js';
import { attachment } from './respond.js';
import { sendFile } from './sendFile.js';

/** A sample of a session as it is, or with `size=thumb` small, as a WebP. Throws a Problem for what is none. */
export async function sendSample(
  c: Context,
  root: string,
  { folder, dialect: { samples } }: Pick<Session, 'folder' | 'dialect'>,
): Promise<Response> {
  const file = c.req.param('file') ?? '';
  if (!samples.isName(file)) throw noSample();
  const path = join(folder, samples.folder, file);
  if (c.req.query('size') === 'thumb') return sendThumbnail(c, root, path);
  return sendFile(c, root, path, { type: 'image/png', cache: CACHE });
}

/** The same of a picture below `root`, small. */
export async function sendThumbnail(c: Context, root: string, path: string): Promise<Response> {
  try {
    const picture = await thumbnailOf(root, path);
    if (!picture) throw noSample();
    return c.body(new Uint8Array(picture), 200, {
      'Content-Type': 'image/webp',
      'Cache-Control': CACHE,
    });
  } catch (error) {
    if (!(error instanceof PictureProblem)) throw error;
    throw new Problem('not_decodable', `${basename(path)} can't be shown: ${error.message}`);
  }
}

/** A WebP of at most 256 pixels of a picture below `root`; null where there is none. Throws a PictureProblem. */
export async function thumbnailOf(root: string, path: string): Promise<Buffer | null> {
  const real = await realInside(root, path);
  const stats = real === null ? null : await stat(real).catch(ifMissing(null));
  return real !== null && stats?.isFile() ? thumbnail(path, real, `${stats.mtimeMs}-${stats.size}`) : null;
}

const CACHE = 'private, max-age=3600';

function noSample(): Problem {
  return new Problem('no_sample', 'There is no such sample in this session.');
}

/** Whole pictures as one zip, made as it is sent: they are compressed already. One that is gone by then is left out. */
export function sendZip(
  c: Context,
  root: string,
  folder: string,
  name: string,
  files: readonly { name: string; saved_at: string }[],
): Response {
  const zip = new ZipFile();
  void (async () => {
    for (const { name: file, saved_at } of files) {
      if (c.req.raw.signal.aborted) return;
      const opened = await openInside(root, join(folder, file));
      if (!opened) continue;
      const stream = opened.createReadStream();
      const over = new Promise<void>((resolve) => stream.once('close', () => resolve()));
      zip.addReadStream(stream, file, { mtime: new Date(saved_at), compress: false });
      // One open file at a time.
      await Promise.race([over, aborted(c)]);
    }
    zip.end();
  })().catch((error: unknown) => {
    log.warn('sessions', 'The samples could not all be packed.', { error });
    zip.outputStream.emit('error', error);
  });
  return c.body(Readable.toWeb(Readable.from(zip.outputStream)) as ReadableStream<Uint8Array>, 200, {
    'Content-Type': 'application/zip',
    ...attachment(name),
  });
}

function aborted(c: Context): Promise<void> {
  return new Promise((resolve) => c.req.raw.signal.addEventListener('abort', () => resolve(), { once: true }));
}
