import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ifMissing } from '../../caught.js';
import { jsonOrNull } from '../../files/exactJson.js';
import { FileRefused, readText } from '../../files/regularFile.js';

/** Characters of one value: a hundred prompts. */
export const LONGEST_VALUE = 100_000;
/** A trainer has some two hundred flags. */
export const MOST_FIELDS = 1000;
/** Bytes of a draft's file. */
export const LARGEST_DRAFT = 1_000_000;

const fields = z
  .record(z.string().min(1).max(200), z.string().max(LONGEST_VALUE))
  .refine((all) => Object.keys(all).length <= MOST_FIELDS, `holds more than ${MOST_FIELDS} fields`);

const view = z.object({
  /** The ids of the folded parts that are open. */
  open: z.array(z.string().max(100)).max(100),
});

/** What is written down of a draft, `outputs/.drafts/<lora>.json`. */
export const draftFile = z.object({
  fields,
  others: fields.default({}),
  view: view.default({ open: [] }),
  /** Grows by one with every change. */
  version: z.number().int().positive(),
  updated_at: z.iso.datetime(),
});

/** What is asked to be written of one. */
export const change = z.object({
  fields,
  base: fields.optional(),
  others: fields.optional(),
  view: view.optional(),
  version: z.number().int().nonnegative().optional(),
  form_id: z.string().max(100).optional(),
  /** Trainer and base model whose fields were shown, where another one is chosen. */
  shown: z.string().max(200).optional(),
});

export type DraftFile = z.infer<typeof draftFile>;
export type DraftChange = z.infer<typeof change>;

/** Null where there is none, or where the file holds none: `setAside` keeps such a file. `at` is the folder of drafts. */
export async function readDraftFile(at: string, key: string): Promise<DraftFile | null> {
  const text = await readText(join(at, `${key}.json`), LARGEST_DRAFT, 'refused').catch((error: unknown) =>
    error instanceof FileRefused || (error as NodeJS.ErrnoException).code === 'ELOOP' ? '' : ifMissing('')(error),
  );
  const parsed = draftFile.safeParse(jsonOrNull(text));
  return parsed.success ? parsed.data : null;
}

/** Renames what stands at a draft's name, if anything does: `to` is another ending. True if there was something. */
export async function renameDraftFile(at: string, key: string, from: string, to: string): Promise<boolean> {
  const moved = rename(join(at, `${key}.${from}`), join(at, `${key}.${to}`)).then(() => true);
  return moved.catch(ifMissing(false));
}
