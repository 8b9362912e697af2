import { flagsOf } from './arguments.js';
import type { ModelNeed } from './trainer.js';

/** Flags with places of the session's own files, and of files beside models: like models, they move with the pod. */
const PLACES = [
  ...['--output_dir', '--dataset_config', '--sample_prompts', '--logging_dir', '--tokenizer_cache_dir'],
  ...['--llm_adapter_path', '--t5_tokenizer_path'],
];

/** Flags that each attempt sets anew: its length, its beginning, and whether it can be paused after any step. */
const OWN = [
  '--max_train_epochs',
  '--max_train_steps',
  '--resume',
  '--initial_epoch',
  '--initial_step',
  '--exact_pause',
];

/**
 * The command of a resume: the flags of the session's last start, with parts of today's command: the program before the
 * flags, the places of files (the pod may have been rebuilt around the outputs), the state folder, the explicit
 * beginning and the number of epochs.
 *
 * The beginning is always given, because a state saved by a resumed run holds a too small step, from which sd-scripts would
 * begin too early (train_network.py:1275, :1416).
 */
export function resumeArgv(
  started: readonly string[],
  fresh: readonly string[],
  models: readonly ModelNeed[],
): string[] {
  const places = [...PLACES, ...models.map(({ flag }) => `--${flag}`)];
  const today = flagsOf(fresh);
  const isOwn = (token: string) => OWN.some((flag) => isOf(flag, token));
  const kept = flagsOf(started)
    .filter((token) => !isOwn(token))
    .map((token) => {
      const place = places.find((flag) => isOf(flag, token));
      return (place && today.find((each) => isOf(place, each))) ?? token;
    });
  return [...fresh.slice(0, fresh.length - today.length), ...kept, ...today.filter(isOwn)];
}

function isOf(flag: string, token: string): boolean {
  return token === flag || token.startsWith(`${flag}=`);
}
