import { dirname, join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { inFile } from '../../files/inFile.js';
import { readOpened } from '../../files/regularFile.js';
import { openInside } from '../../security/paths.js';
import type { Session } from '../status/session.js';

/** Bytes. A prompt has some hundred. */
const LARGEST = 1_000_000;

/** The prompts of the samples, in the trainer's order, without comments and empty lines. */
export async function promptsOf(session: Session): Promise<string[]> {
  const text = (await promptFile(session)) ?? session.state?.sample_prompts ?? '';
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith('#'));
}

/** Without the options that sd-scripts takes after the words: "a cat --n blurry --w 512". */
export function promptWords(line: string | undefined): string {
  return (line ?? '').split(/\s--[a-z]+\s/)[0]?.trim() ?? '';
}

async function promptFile({ folder }: Session): Promise<string | null> {
  return inFile(openInside(dirname(folder), join(folder, 'sample_prompts.txt')), async (file) => {
    return file && (await readOpened(file, LARGEST)).toString('utf8');
  }).catch(ifUnreadable(null, 'sessions'));
}
