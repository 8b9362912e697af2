import { join } from 'node:path';
import { readProgress } from '../../telemetry/progress.js';
import type { PictureElsewhere } from '../../telemetry/rate.js';
import type { Dialect, SamplingPlan } from '../../trainers/dialect.js';
import type { SessionFacts } from '../facts.js';

/** The most sessions whose progress is read. */
const MOST_READ = 8;
/** Settings that make a step longer or shorter. */
const OF_A_STEP = ['base_model', 'resolution', 'vram'];
const ARGUMENTS_OF_A_STEP = ['train_batch_size', 'gradient_accumulation_steps'];

/**
 * What a picture of a session would take, after what one took in the newest session of the same trainer that has measured it;
 * first those with the same base model, resolution and batch. Scaled by steps and size of the pictures. Null without one.
 *
 * @param plan of the session; `dialect` of its trainer
 */
export function pictureElsewhere(
  root: string,
  all: readonly SessionFacts[],
  { facts, plan, dialect }: { facts: SessionFacts; plan: SamplingPlan; dialect: Dialect },
): PictureElsewhere | null {
  const others = all
    .filter(({ name, trainer, attempts }) => name !== facts.name && trainer === facts.trainer && attempts.length > 0)
    .map((each) => ({ each, alike: stepOf(each) === stepOf(facts), at: Date.parse(lastOf(each)?.started_at ?? '') }))
    .sort((a, b) => Number(b.alike) - Number(a.alike) || b.at - a.at);
  let read = 0;
  for (const { each, alike } of others) {
    const theirs = dialect.samples.plan?.(lastOf(each)?.argv ?? [], String(each.settings.sample_prompts ?? ''));
    if (!theirs) continue;
    if (read >= MOST_READ) break;
    read += 1;
    const progress = readProgress(join(root, each.name));
    if (!progress?.seconds_per_picture) continue;
    const larger = plan.drawnPixels / plan.pictures / (theirs.drawnPixels / theirs.pictures);
    const pace = alike && progress.seconds_per_step ? progress.seconds_per_step : null;
    return { seconds: progress.seconds_per_picture * larger, pace };
  }
  return null;
}

const lastOf = ({ attempts }: SessionFacts) => attempts.at(-1);

/** Two sessions with the same train steps of the same length on the same machine. */
function stepOf({ settings }: SessionFacts): string {
  const further = Object(settings.arguments) as Record<string, unknown>;
  return JSON.stringify([OF_A_STEP.map((key) => settings[key]), ARGUMENTS_OF_A_STEP.map((key) => further[key])]);
}
