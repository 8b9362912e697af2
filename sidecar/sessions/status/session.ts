import type { StoredProgress } from '../../telemetry/progress.js';
import type { SessionFacts } from '../facts.js';
import { type Candidate, readCandidates } from '../lineage/candidates.js';
import { readEvidence, type SessionEvidence, type SessionsPlace } from './evidence.js';
import { type Standing, sessionFacts, standingOf } from './sessionFacts.js';

/** A session: its public facts, and the evidence that actions work on. */
export type Session = SessionEvidence & {
  facts: SessionFacts;
  /** All of its states after a thorough reading; else only those that its facts need. */
  candidates: Candidate[];
};

/**
 * Reads an output folder. `live` is the progress from the running attempt's follower, or null. Null when the folder is
 * no session: it has no record, attempt or checkpoint. `thorough` reads all of its states, and when nothing runs the
 * newest to their last byte: damage of a power cut may be anywhere in them.
 */
export async function readSession(
  place: SessionsPlace,
  name: string,
  live: StoredProgress | null,
  thorough: boolean,
): Promise<Session | null> {
  const evidence = await readEvidence(place, name, live);
  if (!evidence) return null;
  const standing = standingOf(evidence);
  const candidates = await candidatesNeeded(place, evidence, standing, thorough);
  const facts = await sessionFacts(evidence, standing, candidates);
  return { ...evidence, facts, candidates: candidates ?? [] };
}

/**
 * A running session needs no states, a completed one needs to know of a complete one; reading them is a third of the
 * work.
 */
async function candidatesNeeded(
  { exactCheck }: SessionsPlace,
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
    ...(exactCheck && idle ? { whatDiffers: () => exactCheck(evidence, thorough) } : {}),
  });
}
