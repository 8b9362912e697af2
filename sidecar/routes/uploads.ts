import { type Context, Hono } from 'hono';
import { receiveShort } from '../datasets/receive.js';
import type { UploadFacts } from '../datasets/uploads/facts.js';
import { announced } from '../datasets/uploads/facts.js';
import { receiveArchive } from '../datasets/uploads/take.js';
import {
  beginUpload,
  giveUp,
  lookAfterUploads,
  readUpload,
  receivePart,
  unfinishedUploads,
} from '../datasets/uploads/uploads.js';
import { jsonOrNull } from '../files/exactJson.js';
import { Problem } from '../problem.js';
import { takeBody } from './body.js';

/** The most bytes of one part. Proxies take bodies of 100 MB and end what lasts longer than 100 s. */
export const LARGEST_PART = 32 * 1024 * 1024;

/**
 * `/datasets/:name/uploads`: a picture or an archive in parts, each a body of its own, that goes on after every cut; and
 * `/datasets/:name/archives/:file`, an archive as one body, for programs.
 *
 * @example
 * POST /datasets/my-cat/uploads {"file": "cats.zip", "bytes": 2000000000} → 201 {"id": "…", "arrived": 0, …}
 * PUT /datasets/my-cat/uploads/<id> with Content-Range: bytes 0-8388607/2000000000 → 200 {"arrived": 8388608, …}
 */
export function uploadRoutes(root: string): Hono {
  const routes = new Hono();
  lookAfterUploads(root);

  routes.get('/datasets/:name/uploads', async (c) => c.json(await unfinishedUploads(root, c.req.param('name'))));

  routes.post('/datasets/:name/uploads', async (c) => {
    const text = (await takeBody(c, (chunks) => receiveShort(chunks, 'The announcement', 10_000))).toString();
    const parsed = announced.safeParse(jsonOrNull(text));
    if (!parsed.success)
      throw new Problem('bad_request', 'Send {"file": "<name>", "bytes": <size of the whole file>} as JSON.');
    const name = c.req.param('name');
    const upload = await beginUpload(root, name, parsed.data);
    c.header('Location', `datasets/${encodeURIComponent(name)}/uploads/${upload.id}`);
    return c.json({ ...upload, largest_part: LARGEST_PART }, upload.arrived > 0 ? 200 : 201);
  });

  routes.get('/datasets/:name/uploads/:id', async (c) => {
    const { name, id } = c.req.param();
    return c.json(await readUpload(root, name, id));
  });

  routes.put('/datasets/:name/uploads/:id', async (c) => {
    const { name, id } = c.req.param();
    const part = partOf(c);
    return answer(c, await takeBody(c, (chunks) => receivePart(root, name, id, part, chunks)));
  });

  routes.delete('/datasets/:name/uploads/:id', async (c) => {
    const { name, id } = c.req.param();
    const message = (await giveUp(root, name, id))
      ? 'The upload was cancelled, and what had arrived was removed. The dataset is as it was.'
      : 'The upload was already finished: the file is in the dataset, and stays there.';
    return c.json({ message });
  });

  routes.put('/datasets/:name/archives/:file', async (c) => {
    const { name, file } = c.req.param();
    const taken = await takeBody(c, (chunks) => receiveArchive(root, name, file, chunks));
    return c.json(taken, taken.accepted.length === 0 && taken.refused.length > 0 ? 422 : 200);
  });

  return routes;
}

function answer(c: Context, upload: UploadFacts): Response {
  const status = upload.state === 'taking' ? 202 : upload.state === 'taken' ? 201 : 200;
  return c.json(upload, upload.state === 'refused' ? 422 : status);
}

/** `Content-Range: bytes 0-8388607/2000000000`, and `Upload-CRC32` over the file up to the end of this part. */
function partOf(c: Context) {
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(c.req.header('content-range') ?? '');
  const [from, last, total] = (found ?? []).slice(1).map(Number);
  if (from === undefined || last === undefined || total === undefined || last < from || last >= total)
    throw new Problem('bad_range', 'Send the part with Content-Range: bytes <first>-<last>/<size of the whole file>.');
  if (last - from + 1 > LARGEST_PART)
    throw new Problem('too_large', `A part may hold ${LARGEST_PART} bytes. Send smaller parts.`);
  const sum = c.req.header('upload-crc32');
  return { from, to: last + 1, total, crc32: sum && /^[0-9a-f]{8}$/i.test(sum) ? Number.parseInt(sum, 16) : null };
}
