import { basename } from 'node:path';
import type { SamplingPlan, StepOfTraining } from '../dialect.js';
import { flagValue } from '../trainingCommand.js';

type Drawing = {
  /** Where a prompt has no `--s`, no `--w` and `--h`, no `--l`. */
  steps: number;
  side: number;
  scale: number;
  /** It draws no more of them, whatever a prompt says. */
  most?: { steps: number; side: number };
  /** Pixels that a step of training costs as much as, for each picture; absent: those of the picture, `TRAINED` times. */
  stepAsPixels?: number;
};

/** As the trainers draw (train_util.py:6506). */
const USUAL: Drawing = { steps: 30, side: 512, scale: 7.5 };
/** The scripts that differ: flux_train_utils.py:155-183, lumina_train_util.py:58-63, hunyuan_image_train_network.py:162. */
const OF_SCRIPTS: Record<string, Drawing | undefined> = {
  'flux_train_network.py': { steps: 20, side: 512, scale: 1 },
  'lumina_train_network.py': { steps: 38, side: 1024, scale: 3.5 },
  'hunyuan_image_train_network.py': { steps: 20, side: 512, scale: 3.5 },
  // Measured: 72 steps of training for a picture of 8 steps (trackside/_practice/samples.py).
  'practice_train_network.py': { ...USUAL, most: { steps: 8, side: 96 }, stepAsPixels: 2048 },
};

/** A step of training runs the model forward, forward again for what was not kept, and back. */
const TRAINED = 3;

/** When a command draws samples, and how much work that is; epochs come first, as in sd-scripts (train_util.py:6376-6391). */
export function samplingPlan(
  argv: readonly string[],
  prompts: string,
  training: StepOfTraining = {},
): SamplingPlan | null {
  const flag = (name: string) => Number(flagValue(argv, name) ?? 0);
  const epochs = flag('--sample_every_n_epochs');
  const distance = epochs || flag('--sample_every_n_steps');
  const lines = prompts.split('\n').filter((line) => line.trim() && !line.trim().startsWith('#'));
  if (!(distance > 0) || lines.length === 0) return null;
  const its = argv.map((token) => OF_SCRIPTS[basename(token)]).find(Boolean) ?? USUAL;
  const batch = (training.batch ?? 1) * Math.max(1, flag('--gradient_accumulation_steps'));
  const drawn = lines.map((line) => {
    const { pixels, area } = drawnOf(line, its);
    const step = its.stepAsPixels ?? TRAINED * (training.side ? training.side ** 2 : area);
    return { pixels, steps: pixels / (step * batch) };
  });
  const sum = (of: keyof (typeof drawn)[number]) => drawn.reduce((all, each) => all + each[of], 0);
  return {
    every: epochs ? 'epochs' : 'steps',
    distance,
    pictures: lines.length,
    drawnPixels: sum('pixels'),
    asSteps: sum('steps'),
  };
}

/** The pixels over which the model is run for a prompt, all steps together; and those of its picture. */
function drawnOf(line: string, its: Drawing): { pixels: number; area: number } {
  const options = Object.fromEntries(
    [...line.matchAll(/\s--([swhl]) (\d{1,5}(?:\.\d{1,5})?)\b/g)].map(([, name, of]) => [name, Number(of)]),
  );
  const { s = its.steps, w = its.side, h = its.side, l = its.scale } = options;
  // As the trainers do with what is too little or too much (train_util.py:6279, 6507).
  const steps = Math.max(1, Math.min(its.most?.steps ?? 1000, s));
  const sideOf = (asked: number) => Math.min(its.most?.side ?? asked, Math.max(64, asked));
  const area = sideOf(w) * sideOf(h);
  // Once more without the prompt.
  const runs = l > 1 ? 2 : 1;
  return { pixels: runs * steps * area, area };
}
