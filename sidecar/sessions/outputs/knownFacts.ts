import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { isMissing, logged } from '../../caught.js';
import { streamRegular } from '../../files/regularFile.js';
import { writeWhole } from '../../files/wholeFile.js';
import { log } from '../../log.js';
import type { SessionFacts } from '../facts.js';

const FILE = '.trackside-facts.ndjson';

export type KnownFacts = Map<string, { signature: string; facts: SessionFacts }>;

/**
 * An earlier sidecar's facts about sessions at rest, so that ten thousand need not be read before the first page. A
 * cache, never evidence: an entry counts only while the session's files are unchanged (`signature`), and living
 * sessions have none. Facts from other code don't count. The file may be deleted at any time. Empty without it.
 *
 * @param build the present code, from settings.build
 */
export async function readKnownFacts(root: string, build: string): Promise<KnownFacts> {
  const known: KnownFacts = new Map();
  const input = Readable.from(streamRegular(join(root, FILE)));
  try {
    const lines = createInterface({
      input,
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
    if (!isMissing(error)) log.info('sessions', 'The facts of sessions at rest could not be read.', { error });
  } finally {
    // Closes the file; to leave the loop early does not.
    input.destroy();
  }
  return known;
}

/** Writes the facts of sessions at rest. A failure only costs the next start some seconds. */
export async function writeKnownFacts(root: string, build: string, known: KnownFacts): Promise<void> {
  const lines = [...known].map(([name, { signature, facts }]) => JSON.stringify({ name, signature, facts }));
  const content = `${[JSON.stringify({ build }), ...lines].join('\n')}\n`;
  await writeWhole(join(root, FILE), content).catch(
    logged('sessions', 'The facts of sessions at rest could not be written.'),
  );
}

/** Is a session at rest, so that the same files mean the same facts? */
export function isResting({ status, auto_resume, put_back, record, looked_into }: SessionFacts): boolean {
  if (!looked_into) return false;
  if (!['draft', 'stopped', 'completed', 'failed'].includes(status)) return false;
  return record !== 'unreadable' && put_back === null && !auto_resume.will;
}
