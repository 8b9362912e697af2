import type { SamplingPlan } from '../dialect.js';
import { flagValue } from '../trainingCommand.js';

/** sd-scripts' own, where a prompt has no `--s`. */
const STEPS_OF_A_PICTURE = 30;

/** When a command draws samples, and how much work that is; epochs come first, as in sd-scripts (train_util.py:6376-6391). */
export function samplingPlan(argv: readonly string[], prompts: string): SamplingPlan | null {
  const flag = (name: string) => Number(flagValue(argv, name) ?? 0);
  const epochs = flag('--sample_every_n_epochs');
  const distance = epochs || flag('--sample_every_n_steps');
  const lines = prompts.split('\n').filter((line) => line.trim() && !line.trim().startsWith('#'));
  if (!(distance > 0) || lines.length === 0) return null;
  const drawingSteps = lines.reduce(
    (sum, line) => sum + Number(/\s--s (\d{1,5})\b/.exec(line)?.[1] ?? STEPS_OF_A_PICTURE),
    0,
  );
  return { every: epochs ? 'epochs' : 'steps', distance, pictures: lines.length, drawingSteps };
}
