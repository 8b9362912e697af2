import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { readText } from '../../files/regularFile.js';
import { offlineEnvironment, tokenizerFolder } from '../../models/tokenizers.js';
import type { Argument } from '../arguments.js';
import { datasetConfig, type PictureFolder } from '../datasetConfig.js';
import { OWN_FLAGS } from '../flagPolicy.js';
import { sdOutput } from '../sdOutput/dialect.js';
import { type Subset, subsetsOf } from '../subsets.js';
import type { Command, InputFile, Trainer, TrainingInput } from '../trainer.js';
import { inputFiles, trainScript } from '../trainScript.js';
import { basicArguments } from './basics.js';
import type { Checkout } from './checkout.js';
import { withChoices } from './choices.js';
import { launchCommand } from './command.js';
import { conflicts } from './conflicts.js';
import type { Family } from './family.js';
import { groupTitles, inGroup } from './groups.js';
import { givenFlags, presetsOf } from './layers.js';
import { findPackages } from './neededPackages.js';
import { settingsOf } from './settingsTable.js';
import { checkWeights } from './weights.js';

/** A family of sd-scripts as a trainer. `models` is the folder of model files, where tokenizers are kept too. */
export function sdScriptsTrainer(family: Family, checkout: Checkout, models: string): Trainer {
  const { id, label, description, needs } = family;
  const where = { checkout: checkout.path, python: checkout.python, tokenizers: tokenizerFolder(models) };
  return {
    id,
    label,
    description,
    settings: settingsOf(family),
    script: {
      path: join(checkout.path, family.script),
      cwd: checkout.path,
      commit: checkout.commit,
      also: ['train_network.py', 'library/train_util.py'],
    },
    dialect: sdOutput,
    checkout: checkout.path,
    tooOld: () => tooOldToResume(checkout),
    python: checkout.python,
    usesGpu: true,
    models: needs,
    presets: presetsOf(family),
    given: (settings) => givenFlags(family, settings),
    conflicts: (settings, own) => conflicts(family, settings, own),
    check: async ({ flags, rank, python, isHere }) => [
      ...(await checkWeights(flags, rank, checkout.path)),
      ...(isHere ? await findPackages({ python, flags, family: id, cwd: checkout.path }) : []),
    ],
    basics: basicArguments(family),
    fromSettings: FROM_SETTINGS,
    furtherArguments: (all) => furtherArguments({ ...family, networkModules: modulesIn(family, checkout) }, all),
    environment: async (input) => ({ ...visibleGpus(input), ...(await offlineEnvironment(models, needs[0].role)) }),
    command: (input) => launchCommand(family, input, where),
    files,
  };
}

/** `--initial_epoch`, and the epoch in a state, came in 2024-05 (sd-scripts b2363f1); without them each resume begins at epoch 1. */
async function tooOldToResume({ path }: Checkout): Promise<string | null> {
  const script = await readText(join(path, 'train_network.py'), LARGEST_SCRIPT).catch(ifUnreadable(null, 'trainers'));
  // Where its parser is built elsewhere, its text does not tell.
  if (!script?.includes('def setup_parser') || script.includes('--initial_epoch')) return null;
  return `This sd-scripts (${path}) is too old to resume a training at the right epoch: its states don't tell theirs. Update it first: git -C ${path} pull.`;
}

const LARGEST_SCRIPT = 4 * 1024 * 1024;

/** The visible GPUs, in nvidia-smi's order; by default CUDA puts the fastest first. */
function visibleGpus({ gpus, gpusBy }: TrainingInput): Record<string, string> {
  return gpus.length === 0 || gpusBy === 'cluster'
    ? {}
    : { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: gpus.join(',') };
}

const FROM_SETTINGS = [
  ...['network_dim', 'learning_rate', 'seed', 'max_data_loader_n_workers', 'save_every_n_epochs'],
  ...['sample_every_n_steps', 'guidance_scale', 'timestep_sampling'],
];

/** Flags that dataset.toml has too, and flags for other kinds of training. */
const NOT_FURTHER = new Set([
  ...OWN_FLAGS,
  ...FROM_SETTINGS,
  ...['save_n_epoch_ratio', 'tokenizer_cache_dir', 'save_state_on_train_end'],
  ...['resolution', 'reg_data_dir', 'in_json', 'dataset_class', 'dataset_repeats', 'conditioning_data_dir'],
  ...['enable_bucket', 'min_bucket_reso', 'max_bucket_reso', 'v2', 'model_type'],
  ...['caption_extension', 'caption_extention', 'debug_dataset', 'split_mode', 'use_8bit_adam', 'use_lion_optimizer'],
  ...['deepspeed', 'zero_stage', 'zero3_init_flag', 'zero3_save_16bit_model', 'offload_optimizer_device'],
  ...['offload_optimizer_nvme_path', 'offload_param_device', 'offload_param_nvme_path'],
]);

/** The networks of a family whose module the checkout has; others come in a package. */
function modulesIn({ networkModules }: Family, { path }: Checkout): Family['networkModules'] {
  const [usual, ...others] = networkModules;
  if (!existsSync(join(path, 'networks'))) return networkModules;
  const isThere = (module: string) =>
    !module.startsWith('networks.') || existsSync(join(path, `${module.replaceAll('.', '/')}.py`));
  return [usual, ...others.filter(isThere)];
}

function furtherArguments(family: Family, all: readonly Argument[]): Argument[] {
  return all
    .filter(({ name }) => !NOT_FURTHER.has(name) && !(name in family.fixed))
    .map((argument) => inGroup(withChoices(family, argument)))
    .sort((a, b) => groupTitles.indexOf(a.group ?? '') - groupTitles.indexOf(b.group ?? ''));
}

function files(input: TrainingInput, command: Command, environment: Record<string, string> = {}): InputFile[] {
  const { settings } = input;
  const { train_batch_size, shuffle_caption, keep_tokens } = input.arguments;
  const dataset = datasetConfig({
    folders: foldersOf(input),
    resolution: settings.resolution,
    batchSize: Number(train_batch_size ?? 1),
    // The file's value overrides the flag.
    shuffleCaption: shuffle_caption === true,
    keepTokens: Number(keep_tokens ?? 1),
  });
  return inputFiles(dataset, settings, trainScript(command, environment));
}

/** The session's own pictures first, then more of them, then regularisation pictures; all are datasets of one root. */
function foldersOf({ settings, datasetPath }: TrainingInput): PictureFolder[] {
  const { concept_sentence: trigger, num_repeats, more_datasets, reg_datasets } = settings;
  const at = (subset: Subset, isReg: boolean) => ({
    imageDir: join(dirname(datasetPath), subset.name),
    classWords: subset.classWord || (isReg ? '' : trigger),
    repeats: subset.repeats,
    resolution: subset.resolution,
    isReg,
  });
  return [
    { imageDir: datasetPath, classWords: trigger, repeats: num_repeats },
    ...subsetsOf(more_datasets).map((subset) => at(subset, false)),
    ...subsetsOf(reg_datasets).map((subset) => at(subset, true)),
  ];
}
