import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import type { Context } from 'hono';
import { badField, Problem } from '../problem.js';
import { isForm, takeBody, typeOf } from './body.js';

/** A file that was sent: at least as much of it as is needed. */
export type Received = { name: string; bytes: Buffer };

/** How many bytes of a file are needed, and may it be longer than that? By its name. */
type Needed = (name: string) => number;
type Longer = (name: string) => boolean;

/** The body, or the file in a form; as much of it as is needed, and the rest is passed over. */
export async function receiveFile(c: Context, needed: Needed, longer: Longer = () => false): Promise<Received> {
  if (isForm(c) && typeOf(c).startsWith('multipart')) return receiveForm(c, needed, longer);
  const named = c.req.query('name') ?? '';
  if (!named) throw badField('name', 'Say which file it is: ?name=cat.safetensors.');
  return { name: named, bytes: await takeBody(c, (chunks) => beginning(chunks, named, needed(named), longer(named))) };
}

async function receiveForm(c: Context, needed: Needed, longer: Longer): Promise<Received> {
  const parser = parserFor(c);
  let received: Promise<Received> | null = null;
  parser.on('file', (_field, part, { filename }) => {
    if (!filename) {
      part.resume();
      return;
    }
    received = beginning(part, filename, needed(filename), longer(filename)).then((bytes) => ({
      name: filename,
      bytes,
    }));
    // silent: whoever waits for the form hears it.
    received.catch(() => part.resume());
  });
  await takeBody(c, (chunks) => pipeline(Readable.from(chunks, { objectMode: false }), parser).catch(noForm));
  if (!received) throw badField('file', 'Choose a file first.');
  return received;
}

function parserFor(c: Context): busboy.Busboy {
  try {
    const headers = { 'content-type': c.req.header('content-type') ?? '' };
    return busboy({ headers, limits: { files: 1, fields: 20 } });
  } catch (error) {
    return noForm(error);
  }
}

/** A form without its boundary, or one that ends in the middle of a part. */
function noForm(error: unknown): never {
  if (error instanceof Problem) throw error;
  throw new Problem('bad_form', `The form can't be read: ${(error as Error).message}. Nothing was saved.`);
}

/** Bytes; a LoRA of the largest models has some gigabytes. */
const LARGEST = 16e9;

/** The first bytes of a file. Throws a Problem for a text that is longer than any real one. */
async function beginning(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  most: number,
  isLonger: boolean,
): Promise<Buffer> {
  const kept: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    if (size < most) kept.push(chunk.subarray(0, most - size));
    size += chunk.length;
    if (size > (isLonger ? LARGEST : most)) {
      throw new Problem('too_large', `${name.slice(0, 100)} is too large to be a file of settings.`);
    }
  }
  return Buffer.concat(kept);
}
