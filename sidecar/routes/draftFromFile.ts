import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import { type Context, Hono } from 'hono';
import { readAt } from '../files/readAt.js';
import { openRegular } from '../files/regularFile.js';
import { Problem } from '../problem.js';
import { rootOf, wantsPage } from '../request.js';
import { checkpointPath } from '../sessions/products/products.js';
import { type DraftOfFile, draftFromFile } from '../sessions/versions/fromFile.js';
import type { Trackside } from '../trackside.js';
import { bytesNeeded, isWeights, readForeignFile } from '../trainers/foreign/foreignFile.js';
import { isForm, takeBody, typeOf } from './body.js';

/**
 * `POST /drafts/from-file?name=FILE` with the file as its body, or a form with the field `file`: a draft of what another tool's
 * file says, with what was taken, what was not, and why. `?session=&checkpoint=` reads a checkpoint that is here.
 */
export function draftFromFileRoutes(trackside: Trackside): Hono {
  const routes = new Hono();

  routes.post('/drafts/from-file', async (c) => {
    const { session, checkpoint, trainer = '', dataset = '', lora_name = '' } = c.req.query();
    const { name, bytes } = await (session && checkpoint ? readCheckpoint(session, checkpoint) : receive(c));
    const asked = { trainer, dataset, lora_name };
    const made = await draftFromFile(trackside, name, () => readForeignFile(name, bytes), asked);
    const page = `${rootOf(c)}new?draft=${encodeURIComponent(made.session.name)}`;
    if (wantsPage(c)) return c.redirect(page, 303);
    return c.json(answerOf(made), 201, { Location: `${rootOf(c)}sessions/${encodeURIComponent(made.session.name)}` });
  });

  return routes;

  async function readCheckpoint(session: string, checkpoint: string): Promise<Received> {
    const path = await checkpointPath(await trackside.outputs.read(session), checkpoint);
    if (!path) throw new Problem('no_checkpoint', 'There is no such checkpoint in this session.');
    const file = await openRegular(path);
    try {
      const { size } = await file.stat();
      return { name: checkpoint, bytes: await readAt(file, 0, Math.min(size, bytesNeeded(checkpoint))) };
    } finally {
      await file.close();
    }
  }
}

type Received = { name: string; bytes: Buffer };

function answerOf({ session, taken, not_taken, not_said }: DraftOfFile) {
  const { name, lora_name, version, trainer, settings } = session.facts;
  return { name, lora_name, version, trainer, taken, not_taken, not_said, settings };
}

/** The body, or the file in a form; as much of it as is needed, and the rest is passed over. */
async function receive(c: Context): Promise<Received> {
  const named = c.req.query('name') ?? '';
  if (isForm(c) && typeOf(c).startsWith('multipart')) return receiveForm(c);
  if (!named) throw new Problem('bad_fields', 'Say which file it is: ?name=cat.safetensors.', { field: 'name' });
  return { name: named, bytes: await takeBody(c, (chunks) => beginning(chunks, named)) };
}

async function receiveForm(c: Context): Promise<Received> {
  const parser = busboy({
    headers: { 'content-type': c.req.header('content-type') ?? '' },
    limits: { files: 1, fields: 20 },
  });
  let received: Promise<Received> | null = null;
  parser.on('file', (_field, part, { filename }) => {
    if (!filename) {
      part.resume();
      return;
    }
    received = beginning(part, filename).then((bytes) => ({ name: filename, bytes }));
    // silent: whoever waits for the form hears it.
    received.catch(() => part.resume());
  });
  await takeBody(c, (chunks) => pipeline(Readable.from(chunks, { objectMode: false }), parser));
  if (!received) throw new Problem('bad_fields', 'Choose a file first.', { field: 'file' });
  return received;
}

/** Bytes; a LoRA of the largest models has some gigabytes. */
const LARGEST = 16e9;

/** The first bytes of a file. Throws a Problem for a text that is longer than any real one. */
async function beginning(chunks: AsyncIterable<Uint8Array>, name: string): Promise<Buffer> {
  const most = bytesNeeded(name);
  const kept: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    if (size < most) kept.push(chunk.subarray(0, most - size));
    size += chunk.length;
    if (size > (isWeights(name) ? LARGEST : most)) {
      throw new Problem('too_large', `${name.slice(0, 100)} is too large to be a file of settings.`);
    }
  }
  return Buffer.concat(kept);
}
