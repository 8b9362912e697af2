import type { StoredProgress } from '../../telemetry/progress.js';
import type { SessionFacts } from '../facts.js';
import { type Candidate, readCandidates } from '../lineage/candidates.js';
import { readEvidence, type SessionEvidence, type SessionsPlace } from './evidence.js';
import { type Standing, sessionFacts, standingOf } from './sessionFacts.js';

/** An output folder, read whole: the facts that are shown, and the evidence that the verbs act on. */
export type Session = SessionEvidence & {
  facts: SessionFacts;
  /** All of its states after a thorough reading; else those that its facts are made from. */
  candidates: Candidate[];
};

/**
 * Reads an output folder. `live` is the progress of a follower of the running attempt, where there is one. Null when
 * the folder is no session: no record, no attempt and no checkpoint in it. `thorough` reads all of its states, and where
 * nothing runs the newest to their last byte: what a lost power supply leaves is not seen at their ends.
 */
export async function readSession(
  place: SessionsPlace,
  name: string,
  live: StoredProgress | null,
  thorough = false,
): Promise<Session | null> {
  const evidence = await readEvidence(place, name, live);
  if (!evidence) return null;
  const standing = standingOf(evidence);
  const candidates = await candidatesNeeded(evidence, standing, thorough);
  const facts = await sessionFacts(evidence, standing, candidates);
  return { ...evidence, facts, candidates: candidates ?? [] };
}

/** Of what runs no state matters, and of what is completed one that is complete; to find it is a third of the work. */
async function candidatesNeeded(
  evidence: SessionEvidence,
  { idle, resumable, trainable }: Standing,
  thorough: boolean,
): Promise<Candidate[] | null> {
  const { folder, dialect, outputName, entries, state, progress, console, settledNow } = evidence;
  if (!thorough && !resumable && (!trainable || (await dialect.states.hasComplete(folder, outputName, entries)))) {
    return null;
  }
  return readCandidates({
    folder,
    dialect,
    outputName,
    attempts: state?.attempts ?? [],
    stepsPerEpoch: progress?.steps_per_epoch ?? null,
    writingNow: idle ? null : console.savingState,
    thorough: idle && (thorough || settledNow),
  });
}
