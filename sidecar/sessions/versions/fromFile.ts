import { Problem } from '../../problem.js';
import { slug } from '../../slug.js';
import type { ForeignFile } from '../../trainers/foreign/said.js';
import type { Beginning } from '../attempt/begin.js';
import type { Session } from '../status/session.js';
import { createSession } from './create.js';
import { leaveOut, notesOf, readOrRefuse, takeForeign } from './takeForeign.js';
import { type NotTaken, nameOfFile, type Taken } from './takeSaid.js';

export type DraftOfFile = {
  session: Session;
  taken: Taken[];
  not_taken: NotTaken[];
  /** Labels of settings of which the file says nothing: they have their defaults. */
  not_said: string[];
};

/**
 * Makes a draft of what a file of another tool says. `asked` may name a `trainer`, a `lora_name` and a `dataset`, which win.
 * Throws a Problem where the file cannot be read, or tells no trainer.
 */
export async function draftFromFile(
  trackside: Beginning,
  file: string,
  read: () => Promise<ForeignFile>,
  asked: Record<string, string>,
): Promise<DraftOfFile> {
  const foreign = await readOrRefuse(read, 'file');
  const found = await takeForeign(trackside, foreign, asked.trainer);
  const named = asked.lora_name || String(found.fields.lora_name ?? '');
  const lora_name = [named, nameOfFile(file), 'from a file'].find((each) => slug(each)) ?? '';
  if (asked.dataset) found.fields.dataset = asked.dataset;
  // What only fits together with other values is found out when all of them are checked.
  for (;;) {
    const notes = notesOf(file, foreign, found);
    const { fields, arguments: flags, trainer } = found;
    try {
      const { session } = await createSession(trackside, { ...fields, lora_name, notes, trainer, arguments: flags });
      return { session, taken: found.taken, not_taken: found.not_taken, not_said: found.not_said };
    } catch (error) {
      if (!(error instanceof Problem) || !leaveOut(found, error)) throw error;
    }
  }
}
