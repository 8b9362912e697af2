import { join } from 'node:path';
import { z } from 'zod';
import { Problem } from '../../problem.js';
import type { SessionFacts } from '../facts.js';
import { INVISIBLE, loraKey, versionName } from '../names.js';
import type { Outputs } from '../outputs/outputs.js';
import { updateStateFile } from '../record/stateFile.js';
import type { RawState } from '../record/uiState.js';

const flag = z.union([z.boolean(), z.stringbool()], 'must be on or off').optional();

/** What a person says of a version, at any time: its own name, the best one, pinned, a rating, tags. */
export const marks = {
  version_name: z
    .string('must be text')
    .trim()
    .max(60, 'is longer than 60 characters')
    .refine((name) => !INVISIBLE.test(name), 'has an invisible character in it')
    .optional(),
  marked_best: flag,
  pinned: flag,
  /** '' takes it away. */
  rating: z
    .union([z.literal('').transform(() => null), z.null(), z.coerce.number().int().min(1).max(5)], 'must be 1 to 5')
    .optional(),
  /** A list, or with commas between. */
  tags: z
    .union([z.array(z.string()), z.string().transform((text) => text.split(','))], 'must be words')
    .transform((all) => [...new Set(all.map((tag) => tag.trim()).filter(Boolean))])
    .refine((all) => all.length <= 20 && all.every((tag) => tag.length <= 40), 'are more than 20, or longer than 40')
    .optional(),
};
export const MARKS = Object.keys(marks) as (keyof typeof marks)[];

type Marked = z.infer<z.ZodObject<typeof marks>>;

/**
 * Throws a Problem for a name that another version of the LoRA has. Returns what takes the mark from the version that was
 * the best one before: a LoRA has one at most.
 */
export async function checkMarks(
  outputs: Outputs,
  facts: SessionFacts,
  { version_name, marked_best }: Marked,
): Promise<() => Promise<void>> {
  const others = (await outputs.list()).filter((each) => each.name !== facts.name && loraKey(each) === loraKey(facts));
  const twin = version_name && others.find((each) => versionName(each).toLowerCase() === version_name.toLowerCase());
  if (twin) {
    const message = `Another version of ${facts.lora_name} is called ${version_name}. Choose another name.`;
    throw new Problem('name_taken', message, { field: 'version_name', about: { session: twin.name } });
  }
  const best = marked_best ? others.filter((each) => each.marked_best) : [];
  return async () => {
    for (const { name } of best) {
      await updateStateFile(join(outputs.root, name), (raw) => {
        raw.marked_best = false;
      });
      await outputs.refresh(name);
    }
  };
}

/** Puts what is said into a record; what says nothing leaves no key. */
export function putMarks(raw: RawState, marked: Marked): void {
  for (const [key, value] of Object.entries(marked)) {
    if (value === undefined) continue;
    const empty = value === null || value === '' || value === false || (Array.isArray(value) && value.length === 0);
    if (empty) delete raw[key];
    else raw[key] = value;
  }
}
