import type { Hub } from '../../live/hub.js';
import { Problem } from '../../problem.js';
import type { ProblemCode } from '../../problemStatus.js';
import type { Stillness } from '../../telemetry/progress.js';
import { type Beginning, beginAttempt } from '../attempt/begin.js';
import type { Stopping } from '../attempt/stop.js';
import type { SessionFacts } from '../facts.js';
import { chooseResume } from '../lineage/resume.js';
import { AUTO_RESUMES, decideAutoResume, gaveUp, recentOf } from '../status/autoResumeRule.js';
import { isWorthResuming, stalledSeconds, stalledWords, watchStillness } from '../status/stall.js';

/** How often it is looked at who waits and who stands still. */
const LOOK_MS = 250;
/** A look that comes later than this saw nothing of the time between: this process was asleep, or the machine. */
const MOST_SECONDS_A_LOOK = 2;
/** How much of a standstill a sidecar that dies may forget: a twentieth of the shortest limit. */
const KEEP_SECONDS = 30;

/** Somebody else was quicker, or is at work on the session or the GPU. */
const PASSING = new Set<ProblemCode>(['already_running', 'not_due', 'gpu_busy', 'busy_session', 'missing_state']);

export type AutoResume = {
  /** Begins to look after all sessions; call it once `outputs` is open. */
  open(): Promise<void>;
  close(): void;
};

/** Attempts are told apart by their numbers. */
type Waiting = { attempt: number; seconds: number; delay: number };

/**
 * Resumes by itself what is switched on (`enable_monitoring`) and was interrupted or crashed, after a wait that a person
 * can see and call off; and tells where nothing moves any more, ending what is switched on so that it can be resumed.
 *
 * Nothing here is remembered that the files do not tell: after a restart the wait begins anew, and a standstill is
 * counted on from what progress.json says. Time is counted by the monotonic clock, look by look, so that neither a clock that jumps nor a pod that slept resumes or ends anything.
 */
export function createAutoResume(deps: Beginning & { stopping: Stopping; hub: Hub }): AutoResume {
  const { settings, outputs, stopping, hub } = deps;
  const { autoResumeDelays: delays, stallScale } = settings;
  const changed = new Set<string>();
  const waiting = new Map<string, Waiting>();
  /** Sessions that are being resumed at this moment. */
  const beginning = new Set<string>();
  const still = new Map<string, Stillness>();
  const blocked = new Map<string, { attempt: number; times: number }>();
  /** The attempts that could not be followed by another one. */
  const refused = new Map<string, number>();
  /** Our own doings, by the monotonic clock: a wall clock that jumps makes the record's ten minutes as long as it likes. */
  const done = new Map<string, { step: number; moments: number[] }>();
  /** Standstills that were seen to: ended, or found to be no better for it. */
  const seenTo = new Map<string, string>();
  let timer: NodeJS.Timeout | null = null;
  let leave = () => {};
  let lookedAt = 0;

  function look(): void {
    const now = performance.now();
    const elapsed = Math.min((now - lookedAt) / 1000, MOST_SECONDS_A_LOOK);
    lookedAt = now;
    for (const [name, each] of waiting) {
      each.seconds += elapsed;
      const left = each.delay - each.seconds;
      if (left > 0) {
        outputs.mark(name, { in_seconds: Math.ceil(left) });
        continue;
      }
      waiting.delete(name);
      void resume(name, each.attempt);
    }
    const names = new Set([...changed, ...still.keys()]);
    changed.clear();
    for (const name of names) {
      const facts = outputs.facts(name);
      watch(name, facts, elapsed);
      queue(name, facts);
    }
  }

  /** Counts for how long a running session has stood still. */
  function watch(name: string, facts: SessionFacts | null, elapsed: number): void {
    const runs = facts?.status === 'running' || facts?.status === 'starting';
    if (!facts || !runs || !facts.attempts.at(-1)?.alive) {
      if (still.delete(name) && facts?.stalled_seconds) outputs.mark(name, {});
      return;
    }
    const before = still.get(name) ?? outputs.stillness(name);
    const now = watchStillness(before, facts.progress, elapsed);
    still.set(name, now);
    if (isWorthKeeping(before, now)) outputs.keepStillness(name, now);
    const seconds = stalledSeconds(now, facts.progress, stallScale);
    if (seconds !== facts.stalled_seconds) outputs.mark(name, { stalled_seconds: seconds });
    if (seconds === null || !facts.auto_resume.on || !isWorthResuming(facts.progress.phase)) return;
    const standstill = `${facts.attempts.at(-1)?.number} ${now.mark}`;
    if (seenTo.get(name) === standstill) return;
    seenTo.set(name, standstill);
    void endStalled(name, seconds).catch(() => {});
  }

  /** Every so often the count is kept for the next sidecar. */
  function isWorthKeeping(before: Stillness | null, now: Stillness): boolean {
    const part = (seconds: number) => Math.floor(seconds / (KEEP_SECONDS * stallScale));
    return before !== null && part(now.seconds) > part(before.seconds);
  }

  /** Begins, goes on with or ends the waiting of a session that has ended. */
  function queue(name: string, facts: SessionFacts | null): void {
    const attempt = facts?.attempts.at(-1)?.number ?? null;
    if (refused.has(name) && refused.get(name) !== attempt) {
      refused.delete(name);
      outputs.mark(name, {});
      changed.add(name);
      return;
    }
    if (!facts?.auto_resume.will || attempt === null) {
      if (waiting.delete(name)) outputs.mark(name, {});
      return;
    }
    if (waiting.get(name)?.attempt === attempt || beginning.has(name)) return;
    const tries = Math.max(facts.auto_resume.tries, triesSeen(name, facts.resume?.step ?? 0));
    if (tries >= AUTO_RESUMES) {
      refuse(name, attempt, gaveUp(AUTO_RESUMES));
      return;
    }
    const delay = delays[Math.min(tries, delays.length - 1)] ?? 0;
    waiting.set(name, { attempt, seconds: 0, delay });
    outputs.mark(name, { in_seconds: Math.ceil(delay) });
  }

  function triesSeen(name: string, step: number): number {
    const ours = done.get(name);
    return ours && step <= ours.step ? recentOf(ours.moments, performance.now()) : 0;
  }

  async function resume(name: string, attempt: number): Promise<void> {
    beginning.add(name);
    try {
      const { latest, facts } = await outputs.read(name);
      if (latest?.number !== attempt || !facts.auto_resume.will) return outputs.mark(name, {});
      await beginAttempt(deps, name, { kind: 'resume', automaticAfter: latest.id });
      const step = facts.resume?.step ?? 0;
      const moments = triesSeen(name, step) > 0 ? (done.get(name)?.moments ?? []) : [];
      done.set(name, { step, moments: [...moments, performance.now()] });
      outputs.mark(name, {});
    } catch (error) {
      // What comes of it is looked at anew.
      if (error instanceof Problem && PASSING.has(error.code) && countBlock(name, attempt) < AUTO_RESUMES) {
        outputs.mark(name, {});
      } else refuse(name, attempt, `It could not be resumed by itself: ${(error as Error).message}`);
    } finally {
      beginning.delete(name);
      changed.add(name);
    }
  }

  /** Times that an attempt could not be followed because something held the folder. */
  function countBlock(name: string, attempt: number): number {
    const before = blocked.get(name);
    const times = (before?.attempt === attempt ? before.times : 0) + 1;
    blocked.set(name, { attempt, times });
    return times;
  }

  function refuse(name: string, attempt: number, reason: string): void {
    refused.set(name, attempt);
    outputs.mark(name, { refused: reason });
  }

  /** Ends what stands still, where that leads to a resume; else it is only shown. */
  async function endStalled(name: string, seconds: number): Promise<void> {
    const { latest, state, candidates, progress } = await outputs.read(name);
    if (!latest || !state || !progress) return;
    const words = `It made ${stalledWords(progress.phase, seconds)}, so Trackside ended it.`;
    const before = state.attempts.filter((each) => each.id !== latest.id);
    const verdict = decideAutoResume({
      on: state.enable_monitoring ?? false,
      attempts: [...before, { ...latest, outcome: 'failed', stalled: words, ended_at: new Date().toISOString() }],
      resume: chooseResume(candidates, state.max_train_epochs ?? null, null)?.facts ?? null,
      most: AUTO_RESUMES,
    });
    if (verdict.will) await stopping.endStalled(name, latest.id, words);
  }

  return {
    async open() {
      leave = hub.join((event) => {
        if (event.type === 'session') changed.add(event.name);
      });
      for (const { name } of await outputs.list()) changed.add(name);
      lookedAt = performance.now();
      timer = setInterval(look, LOOK_MS);
      timer.unref();
    },
    close() {
      if (timer) clearInterval(timer);
      leave();
    },
  };
}
