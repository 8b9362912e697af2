import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { bridge } from '../../sidecar/bridge.js';
import { createRate, type PictureElsewhere } from '../../sidecar/telemetry/rate.js';
import { defaultDialect } from '../../sidecar/trainers/dialects.js';
import { exampleDataset } from '../sidecar.js';
import { percentile, tell } from './figures.js';

const prompt = 'a picture of it --w 256 --h 256 --d 1';
const three = `${prompt}\n${prompt}\n${prompt}`;

const every200 = 'a sample every 200 steps, as the form suggests';
/** What a picture took in the training before, as the next session on its machine is told. */
let former: PictureElsewhere | null = null;

/** 1,000 steps; the first samples come after 5 % where there are any. */
test.each([
  ['no samples', '', 0, false],
  [every200, prompt, 200, false],
  [every200, prompt, 200, true],
  ['three samples every 100 steps', three, 100, false],
  ['three samples every 100 steps', three, 100, true],
  ['three samples every 300 steps', three, 300, false],
  ['three samples every 300 steps', three, 300, true],
])('the end that is told: %s', async (what, prompts, every, after) => {
  const folder = mkdtempSync(join(tmpdir(), 'trackside-time-left-'));
  try {
    const { told, end, picture } = await train(folder, prompts, every, after ? former : null);
    if (what === every200 && !after) former = picture;
    const wrong = ({ at, left }: (typeof told)[number]) => left / (end - at) - 1;
    const off = (each: typeof told) => {
      // In the last second one look is a large share.
      const all = each.filter(({ at }) => end - at > 1).map((one) => Math.abs(wrong(one)));
      return `${(100 * Math.max(0, ...all)).toFixed(0)} % (median ${(100 * percentile(all, 50)).toFixed(0)} %)`;
    };
    const at = [50, 100, 500].map((step) => told.find((one) => one.step >= step)).filter((one) => one !== undefined);
    const words = at.map((one) => `${(100 * wrong(one)).toFixed(0)} %${one.guessed ? ' (said to be a guess)' : ''}`);
    const which = `${what}${after ? ', after another session' : ''}`;
    tell(
      `the end that is told from 5 % on, ${which}: off by`,
      '≤ 20 %',
      `${off(told)}; at 5, 10, 50 %: ${words.join(', ')}`,
    );
    if (every > 0)
      tell('– until its first samples', '≤ 20 %, or a guess', off(told.filter(({ step }) => step < every)));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/**
 * What is told of a real training with the practice trainer, in seconds of its own processor time: other work on the machine
 * does not count.
 */
async function train(folder: string, prompts: string, every: number, elsewhere: PictureElsewhere | null) {
  const dataset = `[general]\nresolution = 64\n[[datasets]]\nbatch_size = 1\n[[datasets.subsets]]\nimage_dir = ${JSON.stringify(exampleDataset)}\nnum_repeats = 10\n`;
  writeFileSync(join(folder, 'dataset.toml'), dataset);
  writeFileSync(join(folder, 'prompts.txt'), prompts);
  const argv = [
    bridge.practiceTrainer,
    `--dataset_config=${join(folder, 'dataset.toml')}`,
    `--output_dir=${join(folder, 'out')}`,
    ...['--output_name=cat', '--max_train_epochs=10', '--network_dim=4', '--learning_rate=4e-3', '--seed=1'],
    ...['--save_state', '--save_every_n_epochs=2', `--sample_prompts=${join(folder, 'prompts.txt')}`],
    ...(every > 0 ? [`--sample_every_n_steps=${every}`] : []),
  ];
  const { console: reader, samples } = defaultDialect;
  const rate = createRate(samples.plan?.(argv, prompts), { elsewhere });
  const told: { at: number; step: number; left: number; guessed: boolean }[] = [];
  let end = 0;
  let memory: Parameters<typeof reader.read>[0] = null;
  const { stderr } = await promisify(execFile)('python3', ['-c', STAMPED, ...argv], { maxBuffer: 2 ** 28 });
  for (const [, seconds, text = ''] of stderr.matchAll(/\0([\d.]+)\0([^\0]*)/g)) {
    const at = Number(seconds);
    end = at;
    const { memory: now, events } = reader.read(memory, text, '');
    memory = now;
    for (const event of events) {
      if (event.type === 'sampling') rate.sampling(at * 1000);
      if (event.type !== 'step') continue;
      rate.add(event.step, at * 1000);
      const { step, total } = event;
      const left = rate.timeLeft({ step, total, stepsPerEpoch: null }, null);
      if (left && step >= total * 0.05) told.push({ at, step, left: left.seconds, guessed: left.guessed });
    }
  }
  const seconds = rate.secondsPerPicture();
  return { told, end, picture: seconds === null ? null : { seconds, pace: rate.secondsPerStep() } };
}

/** Runs a script that writes before each text how many seconds of the processor it has used. */
const STAMPED = `
import runpy, sys, time
class Stamped:
    def __init__(self, to): self.to = to
    def write(self, text): return self.to.write(f"\\0{time.process_time():f}\\0{text}")
    def __getattr__(self, name): return getattr(self.to, name)
sys.stdout = sys.stderr = Stamped(sys.stderr)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
`;
