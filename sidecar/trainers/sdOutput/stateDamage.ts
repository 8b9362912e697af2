import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { Lru } from '../../files/lru.js';
import { memoByFile } from '../../files/memoByFile.js';
import { whatIsTornInZip } from '../../files/zipArchive.js';
import { filesIn, OLD_MODEL, signatureOf, WRITE_ORDER } from './stateFiles.js';
import { whatIsZeroed } from './zeroedWeights.js';

/**
 * Reads all of a state folder that looks complete, and returns its damage in words, or null. A kill cuts files off,
 * which shows at their ends; a power cut leaves zeros inside files of full length. Once while the files stay the same:
 * `readStateFolders` knows the result from then on.
 */
export async function whatIsDamaged(path: string): Promise<string | null> {
  const signature = signatureOf(await filesIn(path));
  const reason = await examineFiles(path, signature);
  damages.set(path, { signature, reason });
  return reason;
}

const examineFiles = memoByFile(async (path: string): Promise<string | null> => {
  for (const name of [...WRITE_ORDER, OLD_MODEL]) {
    const examine = name.endsWith('.safetensors')
      ? whatIsZeroed
      : /\.(bin|pkl|pt)$/.test(name)
        ? whatIsTornInZip
        : null;
    const file = join(path, name);
    const wrong = examine && (await stat(file).catch(ifUnreadable(null, 'trainers'))) ? await examine(file) : null;
    if (wrong) return `${name} ${wrong}`;
  }
  return null;
});

const damages = new Lru<{ signature: string; reason: string | null }>(5_000);

/** What was found so of a folder whose files are the same still; null for nothing, or when it was not read. */
export function knownDamage(path: string, signature: string): string | null {
  const damage = damages.get(path);
  return damage?.signature === signature ? damage.reason : null;
}
