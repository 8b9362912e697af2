import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import type { Outputs } from '../outputs/outputs.js';
import { attemptsOf, EVIDENCE } from '../record/differences.js';
import { noVersion, readOne } from '../record/history.js';
import { mergeEdits } from '../record/merge.js';
import { keepBroken } from '../record/putBack.js';
import { replaceUnchanged } from '../record/replace.js';
import { become, createStateFile, readStateFile, STATE_FILE, updateStateFile } from '../record/stateFile.js';
import type { RawState } from '../record/uiState.js';
import type { Session } from '../status/session.js';

const WORDS = ['description', 'notes'];

/**
 * Restores a version: settings, description, notes and a person's own keys. Attempts and status stay as they are;
 * attempts that only the version has are added. While the session is alive, only description and notes are restored. A
 * present file that can't be read is kept aside, and replaced by the whole version. The replaced file is kept as a
 * version too, so this can be undone. Throws a Problem if there is no such version.
 */
export async function restoreVersion(
  { outputs }: { outputs: Outputs },
  name: string,
  version: string,
): Promise<Session> {
  const session = await outputs.read(name);
  const { folder } = session;
  const then = await readOne(folder, version);
  if (!then) throw noVersion(name, version);
  if (!then.raw) {
    throw new Problem('unreadable_version', `That copy can't be restored: ${then.reason}.`, {
      kept: 'Nothing was changed.',
    });
  }
  const { raw: old, text } = then;
  const file = await readStateFile(folder);
  if (file.kind === 'whole') {
    const wordsOnly = session.liveness.alive !== 'no' || session.facts.status === 'pending';
    await updateStateFile(folder, (raw) => become(raw, wordsOnly ? withWords(raw, old) : withEvidence(raw, old)));
  } else {
    await putWhole(folder, text, file.kind === 'unreadable' ? file.signature : null);
  }
  log.info('sessions', 'A copy of ui_state.json was restored.', { session: name, version });
  return outputs.read(name);
}

function withWords(present: RawState, old: RawState): RawState {
  const restored = structuredClone(present);
  for (const key of WORDS) {
    if (Object.hasOwn(old, key)) restored[key] = old[key];
    else delete restored[key];
  }
  return restored;
}

function withEvidence(present: RawState, old: RawState): RawState {
  const restored = structuredClone(old);
  for (const key of EVIDENCE) {
    if (Object.hasOwn(present, key)) restored[key] = present[key];
    else if (key !== 'attempts' && key !== 'timestamp') delete restored[key];
  }
  const attempts = mergeEdits([], attemptsOf(present), attemptsOf(old)) as { number?: number }[];
  if (attempts.length > 0) restored.attempts = attempts.toSorted((a, b) => (a.number ?? 0) - (b.number ?? 0));
  return restored;
}

async function putWhole(folder: string, text: string, signature: string | null): Promise<void> {
  const path = join(folder, STATE_FILE);
  if (signature === null) {
    if (!(await createStateFile(folder, text))) throw busy();
    return;
  }
  if (!(await stat(path)).isFile()) {
    throw new Problem('not_a_file', `${path} is not a file. Move it away, then restore the copy.`);
  }
  await keepBroken(folder, path);
  const replaced = await replaceUnchanged(path, text, signature);
  if (!replaced) throw busy();
  if (replaced.aside) await rm(replaced.aside, { force: true });
}

function busy(): Problem {
  return new Problem('busy_state', `Another program has just changed ${STATE_FILE}. Try again.`);
}
