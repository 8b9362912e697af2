import { basename } from 'node:path';
import type { SamplingPlan } from '../dialect.js';
import { flagValue } from '../trainingCommand.js';

/** The trainers' own, where a prompt has no `--s`, or no `--w` and `--h` (train_util.py:6506). */
const USUAL = { steps: 30, side: 512 };
/** The scripts that differ: flux_train_utils.py:155, lumina_train_util.py:58-63, hunyuan_image_train_network.py:162. */
const OF_SCRIPTS: Record<string, typeof USUAL | undefined> = {
  'flux_train_network.py': { steps: 20, side: 512 },
  'lumina_train_network.py': { steps: 38, side: 1024 },
  'hunyuan_image_train_network.py': { steps: 20, side: 512 },
};

/** When a command draws samples, and how much work that is; epochs come first, as in sd-scripts (train_util.py:6376-6391). */
export function samplingPlan(argv: readonly string[], prompts: string): SamplingPlan | null {
  const flag = (name: string) => Number(flagValue(argv, name) ?? 0);
  const epochs = flag('--sample_every_n_epochs');
  const distance = epochs || flag('--sample_every_n_steps');
  const lines = prompts.split('\n').filter((line) => line.trim() && !line.trim().startsWith('#'));
  if (!(distance > 0) || lines.length === 0) return null;
  const usual = argv.map((token) => OF_SCRIPTS[basename(token)]).find(Boolean) ?? USUAL;
  const drawn = lines.map((line) => {
    const options = Object.fromEntries(
      [...line.matchAll(/\s--([swh]) (\d{1,5})\b/g)].map(([, name, of]) => [name, of]),
    );
    const { s = usual.steps, w = usual.side, h = usual.side } = options;
    // As the trainers do with what is too little or too much (train_util.py:6279, 6507).
    const steps = Math.max(1, Math.min(1000, Number(s)));
    return { steps, pixels: steps * Math.max(64, Number(w)) * Math.max(64, Number(h)) };
  });
  const sum = (of: keyof (typeof drawn)[number]) => drawn.reduce((all, each) => all + each[of], 0);
  return {
    every: epochs ? 'epochs' : 'steps',
    distance,
    pictures: lines.length,
    drawingSteps: sum('steps'),
    drawnPixels: sum('pixels'),
  };
}
