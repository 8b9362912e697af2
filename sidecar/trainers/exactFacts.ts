import { cpus } from 'node:os';
import { parse } from 'smol-toml';
import { z } from 'zod';
import type { Command, InputFile } from './trainer.js';
import { flagValue } from './trainingCommand.js';

/**
 * What has to stay the same for a training to go on exactly, by the names of `exact_0.json`
 * (trainer-bridge/trackside/_exact/document.py `facts`). What is unknown is absent.
 */
export type ExactFacts = Record<string, unknown>;

const dataset = z.object({ datasets: z.array(z.looseObject({ batch_size: z.number().default(1) })) });

/** Of a command that could be started now, as far as it tells. Its loader workers are at most as many as the machine's processors (sd-scripts train_network.py:560). */
export function factsOfCommand({ argv }: Pick<Command, 'argv'>, files: readonly InputFile[]): ExactFacts {
  const content = files.find(({ name }) => name === 'dataset.toml')?.content ?? '';
  const sizes = dataset.safeParse(parse(content)).data?.datasets.map((each) => each.batch_size);
  const number = (flag: string, otherwise: number) => Number(flagValue(argv, `--${flag}`) ?? otherwise);
  return {
    ...(sizes ? { batch_sizes: sizes } : {}),
    ...(flagValue(argv, '--seed') === null ? {} : { seed: number('seed', 0) }),
    accumulation: number('gradient_accumulation_steps', 1),
    workers: Math.min(number('max_data_loader_n_workers', 8), cpus().length),
    persistent: argv.includes('--persistent_data_loader_workers'),
    processes: number('num_processes', 1),
    ...(argv.includes('--cpu') ? { device: 'cpu' } : {}),
  };
}

/** What differs, in words. Pure. What is unknown on one side is no difference. */
export function exactDifferences(then: ExactFacts, now: ExactFacts): string[] {
  return Object.entries(WORDS).flatMap(([name, say]) => {
    const [was, is] = [then[name], now[name]];
    return was === undefined || is === undefined || isSame(was, is) ? [] : [say(textOf(was), textOf(is))];
  });
}

const WORDS: Record<string, (was: string, is: string) => string> = {
  seed: (was, is) => `the seed was ${was} and is ${is}`,
  batch_sizes: (was, is) => `the batch size was ${was} and is ${is}`,
  accumulation: (was, is) => `the gradient accumulation steps were ${was} and are ${is}`,
  workers: (was, is) => `the loader workers were ${was} and are ${is}`,
  persistent: (was, is) => `persistent loader workers were ${was} and are ${is}`,
  processes: (was, is) => `the processes that train were ${was} and are ${is}`,
  device: (was, is) => `it was trained on ${was} and would be on ${is}`,
  python: (was, is) => `Python was ${was} and is ${is}`,
  torch: (was, is) => `torch was ${was} and is ${is}`,
  numpy: (was, is) => `numpy was ${was} and is ${is}`,
  accelerate: (was, is) => `accelerate was ${was} and is ${is}`,
};

function isSame(was: unknown, is: unknown): boolean {
  const [before, now] = [textOf(was), textOf(is)];
  // A package from PyPI says 2.6.0 of itself, and its module 2.6.0+cu124.
  const short =
    before.includes('+') && now.includes('+') ? (text: string) => text : (text: string) => text.split('+')[0];
  return short(before) === short(now);
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return [...new Set(value.map(String))].join(', ');
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
}
