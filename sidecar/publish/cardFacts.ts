import { checkpointsOf, samplesOf } from '../sessions/products/products.js';
import { promptsOf } from '../sessions/products/prompts.js';
import type { Session } from '../sessions/status/session.js';
import type { CardFacts } from './card.js';

/** All that a model card tells of a session. `version` is Trackside's. */
export async function cardFacts(session: Session, version: string): Promise<CardFacts> {
  const [checkpoints, samples, prompts] = await Promise.all([
    checkpointsOf(session),
    samplesOf(session),
    promptsOf(session),
  ]);
  return { session: session.facts, checkpoints, samples, prompts, version };
}
