import { logged } from '../../caught.js';
import type { Hub } from '../../live/hub.js';
import type { Stillness } from '../../telemetry/progress.js';
import { endStalled, type Stopping } from '../attempt/stop.js';
import type { SessionFacts } from '../facts.js';
import { chooseResume } from '../lineage/resume.js';
import { AUTO_RESUMES, decideAutoResume } from '../status/autoResumeRule.js';
import { isWorthResuming, stalledSeconds, stalledWords, watchStillness } from '../status/stall.js';
import { lookRepeatedly } from './looks.js';

/** The most seconds of a standstill that a sidecar's death may lose: a twentieth of the shortest limit. */
const KEEP_SECONDS = 30;

/** `seenTo`: the standstill that was handled: ended, or left because an end would not help. */
type Watched = { still: Stillness; seenTo: string | null };

/**
 * Marks stalled sessions, and ends those with auto-resume on (`enable_monitoring`), so that they resume. After a
 * restart the count continues from progress.json.
 */
export function watchStandstills(trackside: Stopping & { hub: Hub; settings: { stallScale: number } }) {
  const { outputs, settings } = trackside;
  const { stallScale } = settings;
  const running = new Map<string, Watched>();

  function look(name: string, facts: SessionFacts | null, elapsed: number): void {
    // A script that runs before any step reports nothing, and so can't stand still.
    const reports = facts?.status !== 'running' || facts.progress.phase !== 'starting';
    const runs = (facts?.status === 'running' || facts?.status === 'starting') && reports;
    if (!facts || !runs || !facts.attempts.at(-1)?.alive) {
      if (running.delete(name) && facts?.stalled_seconds) outputs.mark(name, { stalled_seconds: null });
      return;
    }
    const watched = running.get(name);
    const before = watched?.still ?? outputs.stillness(name);
    const still = watchStillness(before, facts.progress, elapsed);
    if (isWorthKeeping(before, still)) outputs.keepStillness(name, still);
    const seconds = stalledSeconds(still, facts.progress, stallScale);
    if (seconds !== facts.stalled_seconds) outputs.mark(name, { stalled_seconds: seconds });
    const standstill = `${facts.attempts.at(-1)?.number} ${still.mark}`;
    const due = seconds !== null && facts.auto_resume.on && isWorthResuming(facts.progress.phase);
    const seenTo = watched?.seenTo ?? null;
    running.set(name, { still, seenTo: due ? standstill : seenTo });
    if (due && seenTo !== standstill) {
      void endIfBetter(name, seconds).catch(logged('sessions', 'The stalled training could not be ended.', name));
    }
  }

  /** The count is kept now and then, for the next sidecar. */
  function isWorthKeeping(before: Stillness | null, now: Stillness): boolean {
    const part = (seconds: number) => Math.floor(seconds / (KEEP_SECONDS * stallScale));
    return before !== null && part(now.seconds) > part(before.seconds);
  }

  /** Ends a stalled attempt if that leads to a resume; otherwise it is only shown. */
  async function endIfBetter(name: string, seconds: number): Promise<void> {
    const { latest, state, candidates, progress } = await outputs.read(name);
    if (!latest || !state || !progress) return;
    const stall = {
      stalled: `It made ${stalledWords(progress.phase, seconds)}, so Trackside ended it.`,
      reason_code: `stalled:${progress.phase}`,
    };
    const before = state.attempts.filter((each) => each.id !== latest.id);
    const verdict = decideAutoResume({
      on: state.enable_monitoring ?? false,
      attempts: [...before, { ...latest, ...stall, outcome: 'failed', ended_at: new Date().toISOString() }],
      resume: chooseResume(candidates, state.max_train_epochs ?? null, null)?.facts ?? null,
      most: AUTO_RESUMES,
    });
    if (verdict.will) await endStalled(trackside, name, { attempt: latest.id, ...stall });
  }

  return lookRepeatedly(trackside, { also: () => running.keys(), look });
}
