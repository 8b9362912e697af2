import type { Secrets } from '../security/secrets.js';
import type { Outputs } from '../sessions/outputs/outputs.js';
import { checkpointsOf } from '../sessions/products/products.js';
import type { PublicationFacts, Publishing } from './publish.js';
import { filesToPublish, type PublishFacts, publishFacts } from './publishFacts.js';

/** The parts of the program that publishing needs. */
export type Publisher = {
  outputs: Outputs;
  publishing: Publishing;
  secrets: Pick<Secrets, 'get'>;
  settings: { version: string };
};

/** A request: paths of checkpoints, and whether to include the sample pictures. */
export type Publication = { repo: string; private: boolean; checkpoints: string[]; samples: boolean };

/** Reads what a session can upload, and the state of its upload. Null while it has no checkpoint. */
export async function readPublication(trackside: Publisher, name: string): Promise<PublishFacts | null> {
  const session = await trackside.outputs.read(name);
  const token = trackside.secrets.get('HF_TOKEN') !== null;
  return publishFacts(trackside.publishing.facts(name), token, session, await checkpointsOf(session));
}

/** Starts the upload of a session's LoRA to the hub. Throws a Problem if it can't start. */
export async function publishSession(
  { outputs, publishing, settings }: Publisher,
  name: string,
  asked: Publication,
): Promise<PublicationFacts> {
  const session = await outputs.read(name);
  const files = await filesToPublish(session, asked.checkpoints, asked.samples, settings.version);
  return publishing.start({ session: name, repo: asked.repo, private: asked.private, files });
}

/** Stops the upload, or forgets its result. */
export async function endPublication(trackside: Publisher, name: string): Promise<PublishFacts | null> {
  await trackside.outputs.folder(name);
  await trackside.publishing.cancel(name);
  return readPublication(trackside, name);
}
