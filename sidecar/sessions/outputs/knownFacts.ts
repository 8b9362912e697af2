import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isMissing, logged } from '../../caught.js';
import { writeWhole } from '../../files/wholeFile.js';
import { log } from '../../log.js';
import type { SessionFacts } from '../facts.js';

const FILE = '.trackside-facts.ndjson';

export type KnownFacts = Map<string, { signature: string; facts: SessionFacts }>;

/**
 * What an earlier sidecar last knew of the sessions that rested, so that ten thousand need not all be read before the
 * first page. A memory, never evidence: an entry counts only while the session's files are the very same (`signature`),
 * and none is kept of what lived. What other code has read counts for nothing: what reads facts is part of what they mean.
 * The file may be deleted at any time. Empty where there is none.
 *
 * @param build which code asks, as settings.build has it
 */
export async function readKnownFacts(root: string, build: string): Promise<KnownFacts> {
  const known: KnownFacts = new Map();
  try {
    const lines = createInterface({
      input: createReadStream(join(root, FILE), 'utf8'),
      crlfDelay: Number.POSITIVE_INFINITY,
    });
    let first = true;
    for await (const line of lines) {
      const entry = JSON.parse(line);
      if (first && entry.build !== build) return known;
      if (!first) known.set(entry.name, { signature: entry.signature, facts: entry.facts });
      first = false;
    }
  } catch (error) {
    // One that a crash of the disk spoiled: everything is read.
    if (!isMissing(error)) log.info('sessions', 'What was known of resting sessions could not be read.', { error });
  }
  return known;
}

/** Writes down what rests. A disk that takes nothing costs the next start some seconds, no more. */
export async function writeKnownFacts(root: string, build: string, known: KnownFacts): Promise<void> {
  const lines = [...known].map(([name, { signature, facts }]) => JSON.stringify({ name, signature, facts }));
  const content = `${[JSON.stringify({ build }), ...lines].join('\n')}\n`;
  await writeWhole(join(root, FILE), content).catch(logged('sessions', 'What is known could not be written down.'));
}

/** Does a session rest, so that the same files mean the same facts? */
export function isResting({ status, auto_resume, put_back, record, looked_into }: SessionFacts): boolean {
  if (!looked_into) return false;
  if (!['draft', 'stopped', 'completed', 'failed'].includes(status)) return false;
  return record !== 'unreadable' && put_back === null && !auto_resume.will;
}
