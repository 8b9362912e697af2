import { Hono } from 'hono';
import { inFile } from '../files/inFile.js';
import { readAt } from '../files/readAt.js';
import { openRegular } from '../files/regularFile.js';
import { Problem } from '../problem.js';
import { rootOf, wantsPage } from '../request.js';
import { checkpointPath } from '../sessions/products/products.js';
import { type DraftOfFile, draftFromFile } from '../sessions/versions/fromFile.js';
import type { Trackside } from '../trackside.js';
import { bytesNeeded, isWeights, readForeignFile } from '../trainers/foreign/foreignFile.js';
import { type Received, receiveFile } from './receiveFile.js';

/**
 * `POST /drafts/from-file?name=FILE` with the file as its body, or a form with the field `file`: a draft of what another tool's
 * file says, with what was taken, what was not, and why. `?session=&checkpoint=` reads a checkpoint that is here.
 */
export function draftFromFileRoutes(trackside: Trackside): Hono {
  const routes = new Hono();

  routes.post('/drafts/from-file', async (c) => {
    const { session, checkpoint, trainer = '', dataset = '', lora_name = '' } = c.req.query();
    const { name, bytes } = await (session && checkpoint
      ? readCheckpoint(session, checkpoint)
      : receiveFile(c, bytesNeeded, isWeights));
    const asked = { trainer, dataset, lora_name };
    const made = await draftFromFile(trackside, name, () => readForeignFile(name, bytes), asked);
    const page = `${rootOf(c)}new?draft=${encodeURIComponent(made.session.name)}`;
    if (wantsPage(c)) return c.redirect(page, 303);
    return c.json(answerOf(made), 201, { Location: `${rootOf(c)}sessions/${encodeURIComponent(made.session.name)}` });
  });

  return routes;

  async function readCheckpoint(session: string, checkpoint: string): Promise<Received> {
    const path = await checkpointPath(await trackside.outputs.read(session), checkpoint);
    if (!path) throw new Problem('no_checkpoint', 'There is no such checkpoint in this session.');
    return inFile(openRegular(path), async (file) => {
      const { size } = await file.stat();
      return { name: checkpoint, bytes: await readAt(file, 0, Math.min(size, bytesNeeded(checkpoint))) };
    });
  }
}

function answerOf({ session, taken, not_taken, not_said }: DraftOfFile) {
  const { name, lora_name, version, trainer, settings } = session.facts;
  return { name, lora_name, version, trainer, taken, not_taken, not_said, settings };
}
