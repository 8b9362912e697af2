import { dirname, join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { openInside } from '../../security/paths.js';
import type { Session } from '../status/session.js';

/** The prompts of the samples, in the trainer's order, without comments and empty lines. */
export async function promptsOf(session: Session): Promise<string[]> {
  const text = (await promptFile(session)) ?? session.state?.sample_prompts ?? '';
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith('#'));
}

async function promptFile({ folder }: Session): Promise<string | null> {
  const file = await openInside(dirname(folder), join(folder, 'sample_prompts.txt')).catch(
    ifUnreadable(null, 'sessions'),
  );
  try {
    return file && (await file.readFile('utf8'));
  } finally {
    await file?.close();
  }
}
