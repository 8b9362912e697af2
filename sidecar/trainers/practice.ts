import { join } from 'node:path';
import { bridge } from '../bridge.js';
import { argumentTokens } from './arguments.js';
import { datasetConfig } from './datasetConfig.js';
import { OWN_FLAGS } from './flagPolicy.js';
import { sdOutput } from './sdOutput/dialect.js';
import type { TrainingSettings } from './setting.js';
import type { Command, InputFile, PackageNeed, Trainer, TrainingInput } from './trainer.js';
import { setting } from './trainingSettings.js';
import { inputFiles, trainScript } from './trainScript.js';

const SETTINGS = [
  setting('concept_sentence'),
  setting('num_repeats'),
  setting('max_train_epochs'),
  setting('learning_rate', { default: '4e-3' }),
  setting('network_dim', { max: 128 }),
  setting('resolution'),
  setting('seed'),
  setting('enable_checkpointing'),
  setting('enable_monitoring'),
  setting('save_every_n_epochs', { default: 2 }),
  setting('sample_prompts', { default: 'a picture of it --w 256 --h 256 --d 1' }),
  setting('sample_every_n_steps', { default: 200 }),
];

/** Flags that the settings above become, and the switch for exact pause. */
const FROM_SETTINGS = [
  'network_dim',
  'learning_rate',
  'seed',
  'save_every_n_epochs',
  'sample_every_n_steps',
  'exact_pause',
];

const script = { path: bridge.practiceTrainer, cwd: bridge.folder };

/** The practice trainer of the bridge: a tiny but real LoRA in plain Python. */
export const practiceTrainer: Trainer = {
  id: 'practice',
  label: 'Practice',
  description:
    'Trains a small, real LoRA on your pictures in less than a minute, without a GPU or a model. It behaves like the real trainer, so you can try everything here with it.',
  settings: SETTINGS,
  script,
  dialect: sdOutput,
  fromSettings: FROM_SETTINGS,
  furtherArguments: (all) => all.filter(({ name }) => !OWN_FLAGS.includes(name) && !FROM_SETTINGS.includes(name)),
  needsFor,
  plainPictures: true,
  command,
  files,
};

/** Other pictures are converted for it; of these only Pillow knows the format. */
function needsFor(pictures: readonly string[]): PackageNeed | null {
  const [first, ...more] = pictures.filter((file) => /\.bmp$/i.test(file));
  if (!first) return null;
  const named = more.length > 0 ? `${first} and ${more.length} more are BMPs` : `${first} is a BMP`;
  return { module: 'PIL', name: 'pillow', why: `${named}, which the practice trainer reads with Pillow.` };
}

function command(input: TrainingInput): Command {
  return { argv: [input.python, script.path, ...flags(input)], cwd: script.cwd };
}

function flags(input: TrainingInput): string[] {
  const { settings, outputPath, outputName, resume } = input;
  return [
    `--dataset_config=${join(outputPath, 'dataset.toml')}`,
    `--output_dir=${outputPath}`,
    `--output_name=${outputName}`,
    `--max_train_epochs=${settings.max_train_epochs}`,
    `--save_every_n_epochs=${settings.save_every_n_epochs}`,
    ...(settings.enable_checkpointing ? ['--save_state'] : []),
    `--network_dim=${settings.network_dim}`,
    `--learning_rate=${settings.learning_rate}`,
    `--seed=${settings.seed}`,
    // Always: without a prompt file sd-scripts crashes at its first sample (train_util.py:6329).
    `--sample_prompts=${join(outputPath, 'sample_prompts.txt')}`,
    ...(drawsSamples(settings) ? [`--sample_every_n_steps=${settings.sample_every_n_steps}`] : []),
    `--logging_dir=${join(outputPath, 'logs')}`,
    ...argumentTokens(input.arguments),
    ...(input.exactPause ? ['--exact_pause'] : []),
    // A resumed trainer would start at the wrong epoch without it (sd-scripts.md, section 0.1).
    ...(resume ? [`--resume=${resume.statePath}`, `--initial_epoch=${resume.firstEpoch}`] : []),
  ];
}

function drawsSamples(settings: TrainingSettings): boolean {
  return settings.sample_every_n_steps > 0 && settings.sample_prompts.trim() !== '';
}

function files({ settings, datasetPath }: TrainingInput, command: Command): InputFile[] {
  const dataset = datasetConfig({
    folders: [{ imageDir: datasetPath, classWords: settings.concept_sentence, repeats: settings.num_repeats }],
    resolution: settings.resolution,
    batchSize: 1,
  });
  return inputFiles(dataset, settings, trainScript(command));
}
