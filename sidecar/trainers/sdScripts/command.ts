import { join } from 'node:path';
import { bridge } from '../../bridge.js';
import { type ArgumentValue, argumentTokens } from '../arguments.js';
import type { Command, TrainingInput } from '../trainer.js';
import type { Family, Flags } from './family.js';
import { effectiveFlags } from './layers.js';
import { cpuPreset } from './presets.js';

/**
 * The starter of exact pause, or `python -m accelerate.commands.launch`, with every launcher flag that would otherwise come from the machine's own
 * configuration, the script, and its flags (sd-scripts.md, section 1). Runs in the checkout, from where modules are
 * imported.
 */
export function launchCommand(
  family: Family,
  input: TrainingInput,
  where: { checkout: string; python: string; tokenizers: string },
): Command {
  const flags = scriptFlags(family, input, where.tokenizers);
  const argv = [
    where.python,
    // It takes the launcher's flags, and hands several GPUs over to the launcher itself.
    ...(input.exactPause ? [bridge.exact] : ['-m', 'accelerate.commands.launch']),
    ...launcherFlags(input, String(flags.mixed_precision ?? 'no')),
    join(where.checkout, family.script),
    ...argumentTokens(flags),
  ];
  return { argv, cwd: where.checkout };
}

function launcherFlags(input: TrainingInput, precision: string): string[] {
  const { settings, gpus } = input;
  const processes = Math.max(1, gpus.length);
  const onCpu = settings.vram === cpuPreset.vram;
  return [
    ...(onCpu ? ['--cpu'] : processes > 1 ? ['--multi_gpu'] : []),
    '--num_processes',
    String(onCpu ? 1 : processes),
    '--num_machines',
    '1',
    ...argumentTokens({ mixed_precision: [precision] }),
    '--dynamo_backend',
    'no',
    '--num_cpu_threads_per_process',
    onCpu ? '2' : '1',
    // Two runs on one machine need different ports, so the first GPU decides. With 0, "any", torchrun waits for ever.
    ...(!onCpu && processes > 1 ? ['--main_process_port', String(portOf(input))] : []),
  ];
}

/** On a cluster every job's first GPU is 0, so there the session decides. */
function portOf({ gpus, gpusBy, outputPath }: TrainingInput): number {
  if (gpusBy !== 'cluster') return 29_500 + (gpus[0] ?? 0);
  let hash = 0;
  for (const letter of outputPath) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 20_000;
  return 20_000 + hash;
}

/** In the order of FluxGym's train.sh: models, network and training, then output places. */
function scriptFlags(family: Family, input: TrainingInput, tokenizers: string): Flags {
  const { settings, outputPath, outputName, resume } = input;
  const models = new Set(family.needs.map(({ flag }) => flag));
  const own = Object.entries(input.arguments);
  const paths = Object.fromEntries(own.filter(([name]) => models.has(name)));
  const flags = effectiveFlags(family, settings, Object.fromEntries(own.filter(([name]) => !models.has(name))));
  // Trackside's charts are made of TensorBoard's files, so these are always written.
  if (flags.log_with === 'wandb') flags.log_with = 'all';
  return {
    ...paths,
    tokenizer_cache_dir: tokenizers,
    ...flags,
    ...fromSettings(family, input),
    ...(settings.workers === 0 ? { persistent_data_loader_workers: false } : {}),
    dataset_config: join(outputPath, 'dataset.toml'),
    output_dir: outputPath,
    output_name: outputName,
    save_model_as: 'safetensors',
    logging_dir: join(outputPath, 'logs'),
    // Always: without a prompt file sd-scripts crashes at its first sample (train_util.py:6329).
    sample_prompts: join(outputPath, 'sample_prompts.txt'),
    ...(resume ? beginning(input, resume) : {}),
  };
}

function fromSettings(family: Family, { settings }: TrainingInput): Flags {
  const samples = settings.sample_every_n_steps > 0 && settings.sample_prompts.trim() !== '';
  return {
    network_dim: settings.network_dim,
    learning_rate: settings.learning_rate,
    seed: settings.seed,
    max_data_loader_n_workers: settings.workers,
    ...(family.guidance ? { guidance_scale: settings.guidance_scale } : {}),
    ...(family.timestepSampling ? { timestep_sampling: settings.timestep_sampling } : {}),
    max_train_epochs: settings.max_train_epochs,
    ...(settings.save_every_n_epochs > 0 ? { save_every_n_epochs: settings.save_every_n_epochs } : {}),
    ...(settings.enable_checkpointing ? { save_state: true } : {}),
    ...(samples ? { sample_every_n_steps: settings.sample_every_n_steps } : {}),
  };
}

/** Without it a resumed trainer starts at the wrong epoch; with several GPUs it divides an epoch's length twice. */
function beginning(
  { gpus }: TrainingInput,
  resume: NonNullable<TrainingInput['resume']>,
): Record<string, ArgumentValue> {
  const { statePath, firstEpoch, firstStep } = resume;
  return { resume: statePath, ...(gpus.length > 1 ? { initial_step: firstStep } : { initial_epoch: firstEpoch }) };
}
