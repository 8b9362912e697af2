import { dirname, join } from 'node:path';
import { z } from 'zod';
import { memoByObject } from '../files/memoByObject.js';
import { Problem } from '../problem.js';
import { realInside } from '../security/paths.js';
import type { CheckpointFacts } from '../sessions/savedFacts.js';
import type { Session } from '../sessions/status/session.js';
import { CARD_FILE, cardFacts, cardState, writeCard } from './card.js';
import { type PublicationFacts, type PublishedFile, publicationFacts } from './publish.js';

/** The files of a session that can be uploaded, and the state of its upload. */
export const publishFactsShape = z.object({
  /** The owner of the model card; `none` is written before an upload. */
  card: z.enum(['none', 'ours', 'theirs']),
  /** Is there a token for the hub? */
  token: z.boolean(),
  /** Paths to choose from, newest first; the first is the default. */
  checkpoints: z.array(z.object({ path: z.string(), bytes: z.number() })),
  lora: z.string(),
  publication: publicationFacts.nullable(),
});
export type PublishFacts = z.infer<typeof publishFactsShape>;

/** Null while there is no checkpoint. */
export async function publishFacts(
  publication: PublicationFacts | null,
  token: boolean,
  session: Session,
  checkpoints: readonly CheckpointFacts[],
): Promise<PublishFacts | null> {
  const whole = checkpoints.filter(({ problem, path }) => !problem && !path.includes('/'));
  if (whole.length === 0) return null;
  const final = whole.filter(({ kind }) => kind === 'final');
  const order = [...final, ...whole.filter(({ kind }) => kind !== 'final')];
  return {
    card: await cardState(session.folder),
    token,
    checkpoints: order.map((checkpoint) => offered(checkpoint)),
    lora: session.facts.lora_name,
    publication,
  };
}

const offered = memoByObject(({ path, bytes }: CheckpointFacts) => ({ path, bytes }));

/** The files of an upload: the card, written unless a person changed it, the chosen checkpoints, and sample pictures. */
export async function filesToPublish(
  session: Session,
  chosen: readonly string[],
  withSamples: boolean,
  version: string,
): Promise<PublishedFile[]> {
  const facts = await cardFacts(session, version);
  const known = facts.checkpoints
    .filter(({ problem, path }) => !problem && !path.includes('/'))
    .map(({ path }) => path);
  const unknown = chosen.find((path) => !known.includes(path));
  if (unknown !== undefined) {
    throw new Problem('unknown_checkpoint', `There is no checkpoint ${unknown} in this session.`, {
      field: 'checkpoints',
    });
  }
  if (chosen.length === 0) {
    throw new Problem('nothing', 'Choose at least one checkpoint to upload.', { field: 'checkpoints' });
  }
  await writeCard({ ...facts, samples: withSamples ? facts.samples : [] });
  const samples = withSamples ? facts.samples.map(({ name }) => `sample/${name}`) : [];
  const files = await Promise.all([CARD_FILE, ...chosen, ...samples].map((path) => fileInside(session.folder, path)));
  return files.filter((file) => file !== null);
}

/** Leaves out links that lead out of the outputs. */
async function fileInside(folder: string, path: string): Promise<PublishedFile | null> {
  const from = await realInside(dirname(folder), join(folder, path));
  return from === null ? null : { path, from };
}
