import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { jsonOrNull } from '../../files/exactJson.js';
import { inFile } from '../../files/inFile.js';
import { semaphore } from '../../files/queue.js';
import { openRegular } from '../../files/regularFile.js';
import { log } from '../../log.js';
import { PictureProblem } from '../pictureProblem.js';
import { LARGEST_PICTURE, type Received, receive } from '../receive.js';
import { AS_JPEG, LONGEST } from './limits.js';

/** One at once: each takes up to half a gigabyte, and a processor for a second or ten. */
const converting = semaphore(1);
/** Built beside the program; what runs from its sources, a test, takes the last build. */
const DECODER = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../../.build/sidecar/decodeHeic.mjs' : 'decodeHeic.mjs',
    import.meta.url,
  ),
);
const told = z.object({ message: z.string(), remedy: z.string() });

/**
 * Converts a HEIC photo to an upright JPEG in sRGB, in a process that ends with it, and takes the memory and a crash of the
 * decoder with it. Returns a temporary file beside `target`. Throws a PictureProblem, and leaves nothing behind.
 *
 * @param signal ends it, and throws its reason
 */
export function convertHeic(path: string, target: string, signal?: AbortSignal): Promise<Received> {
  return converting(() => inFile(openRegular(path), ({ fd }) => convert(fd, target, signal)), signal);
}

/** Node's types take streams and words for its output, and no number of an open file. */
type Decoder = ChildProcessByStdio<null, Readable, Readable>;

async function convert(photo: number, target: string, signal: AbortSignal | undefined): Promise<Received> {
  const stdio: [number, 'pipe', 'pipe'] = [photo, 'pipe', 'pipe'];
  const decoder = spawn(process.execPath, [DECODER], { stdio }) as Decoder;
  const end = () => decoder.kill('SIGKILL');
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    end();
  }, LONGEST * 1000);
  process.once('exit', end);
  signal?.addEventListener('abort', end);
  try {
    const [jpeg, words, [code]] = await Promise.all([
      receive(decoder.stdout, target, LARGEST_PICTURE),
      text(decoder.stderr),
      once(decoder, 'close'),
    ]);
    if (code === 0) return jpeg;
    await rm(jpeg.path, { force: true });
    signal?.throwIfAborted();
    throw whyNot(late, words);
  } finally {
    clearTimeout(limit);
    process.off('exit', end);
    signal?.removeEventListener('abort', end);
    end();
  }
}

function whyNot(late: boolean, words: string): PictureProblem {
  if (late) return new PictureProblem(`It takes more than ${LONGEST} s to open.`, AS_JPEG);
  const known = told.safeParse(jsonOrNull(words));
  if (known.success) return new PictureProblem(known.data.message, known.data.remedy);
  log.warn('datasets', 'The decoder of HEIC photos failed.', { said: words.slice(-2000) });
  return new PictureProblem("It can't be opened: it is damaged, or needs too much memory.", AS_JPEG);
}
