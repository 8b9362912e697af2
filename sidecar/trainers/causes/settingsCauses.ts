import { basename } from 'node:path';
import { type Clue, type EndedSession, flagIn, type KnownCause } from './cause.js';

const datasetConfig = ({ argv }: EndedSession) => basename(flagIn(argv, 'dataset_config') || 'dataset.toml');

/** The file that was read: named before, or that of the flag for which sd-scripts reads it. */
function configOf({ evidence, frames, session }: Clue): string | null {
  const named = evidence.saidBefore.flatMap(
    (said) => /^Error on parsing \w+ config file\b.{0,200}: (\S+)$/.exec(said)?.[1] ?? [],
  )[0];
  const through = (name: string) => frames.some((frame) => frame.endsWith(`:${name}`));
  if (named) return named;
  if (through('load_user_config')) return flagIn(session.argv, 'dataset_config') || null;
  return through('read_config_from_file') ? flagIn(session.argv, 'config_file') || null : null;
}

/** The further arguments that were being read, by the function that reads them. */
function argumentsOf(frames: readonly string[]): string {
  if (frames.some((frame) => frame.endsWith(':get_optimizer'))) return 'the optimizer (--optimizer_args)';
  if (frames.some((frame) => frame.endsWith(':get_scheduler_fix'))) return 'the schedule (--lr_scheduler_args)';
  return 'the optimizer, the schedule or the network';
}

/** What the settings of this training have wrong. */
export const SETTINGS_CAUSES: readonly KnownCause[] = [
  {
    id: 'nan',
    pattern:
      /NaN (?:detected|found) in (?:latents|loss|gradients?)[^\n]*|(?:loss|gradients?) (?:is|are|became) (?:nan|inf)|Loss is NaN|NaN or Inf found|(?:loss|latents?|gradients?|output|prediction|weights?|tensor)\b[^\n]{0,60} contains? NaN|FloatingPointError(?!: underflow)/i,
    words: (_, found) =>
      /latents/i.test(found[0])
        ? `The VAE made no usable latents (${found[0].trim()}). Switch "no half VAE" (--no_half_vae) on, or use a VAE that works in fp16; then start again.`
        : 'The loss became NaN: the training ran away. Resume from a state before that with a lower learning rate in a new version, or use bf16 instead of fp16.',
    repeats: true,
  },
  {
    id: 'no_data',
    said: true,
    pattern:
      /^(?:\w{1,40}: )?(?:No data found\b|no (?:training )?images? (?:were )?found\b)|num_samples should be a positive integer value, but got num_samples=0/i,
    words:
      'The trainer found no pictures in the dataset. Pictures must be directly in its folder, as png, jpg, jpeg, webp or bmp.',
    repeats: true,
  },
  {
    id: 'nothing_left',
    pattern: /max_train_steps should be greater than initial step/,
    words:
      'Nothing is left to train: the state already has all the epochs that were asked for. Train further with more epochs.',
    repeats: true,
  },
  {
    id: 'unknown_flags',
    pattern: /^unrecognized arguments: (.+)/m,
    words: 'The trainer does not know these arguments: $1. Remove them.',
    repeats: true,
  },
  { id: 'refused_flags', pattern: /^usage: (.+)/m, words: 'The trainer refused its arguments: $1.', repeats: true },
  {
    id: 'dataset_config',
    pattern: /extra keys not allowed @ (.+)/,
    words: ({ session }, found) => `${datasetConfig(session)} has a key that the trainer does not know: ${found[1]}.`,
    repeats: true,
  },
  {
    id: 'dataset_config',
    pattern: /MultipleInvalid: (.+)/,
    words: ({ session }, found) =>
      `${datasetConfig(session)} has a value that the trainer does not accept: ${found[1]}.`,
    repeats: true,
  },
  {
    id: 'config_missing',
    pattern: /^(\S{1,400}\.(?:toml|json|ya?ml)) not found\.?$/m,
    said: true,
    words:
      'The configuration file $1 does not exist. A path that is not absolute is relative to the trainer’s folder. Correct it, then start again.',
    repeats: true,
  },
  {
    id: 'config_broken',
    pattern: /(?:TomlDecodeError|TOMLDecodeError|JSONDecodeError|YAMLError|ScannerError): (.+)/,
    // A server's answer, or a file in the cache of the hub, is JSON, too.
    unless: ({ frames }) =>
      frames.some((frame) =>
        /site-packages\/(?:requests|httpx|urllib3|transformers|diffusers|huggingface_hub|wandb|peft)\//.test(frame),
      ),
    words: (clue, found) =>
      `${configOf(clue) ?? 'A configuration file'} cannot be read: ${found[1]}. Mend it, then start again.`,
    repeats: true,
  },
  {
    id: 'optimizer_args',
    pattern: /^(?:SyntaxError|ValueError|IndentationError|TypeError): [^\n]{1,200}/,
    needs: ({ frames }) => frames.some((frame) => frame.endsWith(':literal_eval')),
    words: ({ frames }) =>
      `A value among the arguments of ${argumentsOf(frames)} is not written as Python writes it: text stands in quotes ("cosine"), a list in brackets (0.9,0.99). Correct it, then start again.`,
    repeats: true,
  },
  {
    id: 'refused_value',
    pattern:
      /^ValueError: '?([^'\n]{1,80})'? is not a valid (SchedulerType|\w{1,40}), please select one of (\[[^\]\n]{1,400}\])/,
    words: 'The trainer does not know $1. It accepts $3. Choose one of these, then start again.',
    repeats: true,
  },
  {
    id: 'settings_conflict',
    // sd-scripts says it in English, then in Japanese.
    pattern: /^(?:AssertionError|ValueError): ([^\n]{1,400}?)(?: \/ [^\n]*)?$/m,
    needs: ({ frames }) =>
      frames.some((frame) =>
        /:(?:assert_extra_args|verify_training_args|verify_sdxl_training_args|verify_command_line_training_args)$/.test(
          frame,
        ),
      ),
    words: 'These settings can’t be combined: $1. Change one of them, then start again.',
    repeats: true,
  },
  {
    id: 'settings_conflict',
    // What sd-scripts, torch and transformers say of single settings, each seen on the real trainer.
    pattern:
      /^(?:AssertionError|ValueError|NotImplementedError): ([^\n]{0,200}?(?:requires mixed precision=|logging_dir is required when|does not require `num_warmup_steps`|One of min_lr or min_lr_rate should be set|persistent_workers option needs num_workers|rank must be a multiple of unit|dropout probability has to be between|Huber schedule '\w+' is not supported)[^\n]{0,200}?)(?: \/ [^\n]*)?$/m,
    words: 'These settings can’t be combined: $1. Change one of them, then start again.',
    repeats: true,
  },
  {
    id: 'settings_conflict',
    pattern: /^TypeError: (\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'/,
    needs: ({ frames }) => frames.some((frame) => frame.endsWith(':get_optimizer')),
    words: 'The optimizer $1 has no option $2. Remove it from the optimizer arguments, then start again.',
    repeats: true,
  },
  {
    id: 'settings_conflict',
    pattern: /^TypeError: ([\w.]+)\(\) missing \d+ required positional arguments?: ([^\n]{1,200})/,
    needs: ({ frames }) => frames.some((frame) => frame.endsWith(':get_scheduler_fix')),
    words: 'The learning-rate schedule $1 needs $2. Give it in --lr_scheduler_args, then start again.',
    repeats: true,
  },
  {
    id: 'settings_conflict',
    pattern: /^ValueError: optimizer got an empty parameter list/,
    words:
      'There is nothing to train: all learning rates are 0, or the network module finds no layer in this model. Correct them, then start again.',
    repeats: true,
  },
  {
    id: 'fp16_gradients',
    pattern: /Attempting to unscale FP16 gradients/,
    words:
      'Gradients in fp16 cannot be trained with mixed precision fp16. Set mixed precision to bf16, or switch full fp16 training off; then start again.',
    repeats: true,
  },
  {
    id: 'unknown_optimizer',
    pattern: /^AttributeError: module 'torch\.optim' has no attribute '(\w+)'/,
    words: 'The installed torch has no optimizer $1. Check the spelling, then start again.',
    repeats: true,
  },
];
