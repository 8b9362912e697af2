import type { SessionFacts } from '../facts.js';
import { isAliveOrPending } from '../status/alive.js';

/** What a pod may be doing. */
export type Doings = {
  sessions: readonly SessionFacts[];
  /** Names of sessions that are about to start. */
  beginning: Iterable<string>;
  byHand: readonly { name: string }[];
  downloads: number;
  uploads: number;
  /** Checkpoints that are being sent to somebody. */
  sending: number;
  /** Who is logged in, in words: asked last, since it reads every process. */
  loggedIn(): string | null;
};

/** Why the pod must not be stopped now, in words; null if nothing speaks against it. Pure. */
export function busyWith({
  sessions,
  beginning,
  byHand,
  downloads,
  uploads,
  sending,
  loggedIn,
}: Doings): string | null {
  const [begins] = beginning;
  if (begins !== undefined) return `${begins} is about to start.`;
  const active = sessions.find(isAliveOrPending);
  if (active)
    return active.status === 'pending' ? `${active.name} waits in the queue.` : `${active.name} is ${active.status}.`;
  const resumes = sessions.find(({ auto_resume }) => auto_resume.will);
  if (resumes) return `${resumes.name} is about to resume by itself.`;
  if (byHand[0]) return `${byHand[0].name}, started in a terminal, is running.`;
  if (downloads > 0) return 'A model is being downloaded.';
  if (uploads > 0) return 'A LoRA is being uploaded.';
  if (sending > 0) return 'Somebody is downloading a checkpoint.';
  return loggedIn();
}
