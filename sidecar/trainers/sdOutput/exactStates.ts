import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../../files/jsonFile.js';
import type { ExactPlace } from '../dialect.js';

/** What a state needs beyond accelerate's files to be gone on with exactly (trainer-bridge/trackside/_exact/document.py). */
export const EXACT_FILE = 'exact_0.json';

/** Bytes. It holds random states, and one loss for each batch of an epoch. */
const LARGEST = 64 * 1024 * 1024;

const count = z.number().int().min(0);
const document = z.object({
  format: z.literal(1),
  step: count,
  epoch: count.min(1),
  batches: count,
  of: count,
  made_for: z.string().nullish(),
  facts: z.record(z.string(), z.unknown()),
});

/** Null without a file, and for one that is damaged or of another format: the state is then gone on with plainly. */
export async function readExactPlace(folder: string): Promise<ExactPlace | null> {
  const found = await readJson(join(folder, EXACT_FILE), LARGEST, document, null, 'trainers', 'refused');
  return (
    found && {
      step: found.step,
      epoch: found.epoch,
      whole: found.batches >= found.of,
      madeFor: found.made_for ?? null,
      facts: found.facts,
    }
  );
}
