import type { ModelRole } from '../models/roles.js';
import type { Argument, ArgumentValue } from './arguments.js';
import type { Dialect } from './dialect.js';
import type { Setting, TrainingSettings } from './setting.js';

/** Everything one attempt is made from. All paths are absolute. */
export type TrainingInput = {
  settings: TrainingSettings;
  /** Further flags of the trainer, checked by `checkArguments`, without their leading dashes. */
  arguments: Record<string, ArgumentValue>;
  datasetPath: string;
  outputPath: string;
  /** What every file of the session is named after: `<outputName>-000004.safetensors`. */
  outputName: string;
  /** `firstEpoch` counts from 1, `firstStep` from 0: optimizer steps before it. Both come from `resumeRecipe`. */
  resume: { statePath: string; firstEpoch: number; firstStep: number } | null;
  /** The GPUs it has to itself, by nvidia-smi's index: more than one share one run. Empty where there are none. */
  gpus: readonly number[];
  /** The interpreter that runs the trainer. */
  python: string;
};

/** Exact tokens for exec, no shell in between. */
export type Command = { argv: string[]; cwd: string };

/** A file to write into the output folder before the trainer starts; `name` is relative to it. */
export type InputFile = { name: string; content: string; executable: boolean };

/** `module` is what is imported, `name` what pip calls it; `why` is a sentence. */
export type PackageNeed = { module: string; name: string; why: string };

/** A model file that a script is given by a flag. */
export type ModelNeed = { flag: string; role: ModelRole; required: boolean; label: string };

/** `gib`: GiB of memory that such a GPU has; 0 for none. `why` is a sentence. */
export type GpuPreset = { vram: string; gib: number; label: string; why: string };

/** Something that can train. Knows its flags and files; knows nothing of processes or HTTP. */
export type Trainer = {
  /** As in ui_state.json and in addresses: "practice", "sd-scripts/flux". */
  id: string;
  label: string;
  /** One or two sentences for the form. */
  description: string;
  /** The fields of its form, in the order of the page. The other names of ui_state.json mean nothing to it. */
  settings: readonly Setting[];
  /** Whose parser names the further flags; run from `cwd`. `commit` and `also` (files in `cwd`) tell when it has changed. */
  script: { path: string; cwd: string; commit?: string | null; also?: readonly string[] };
  /** What it prints and leaves behind. */
  dialect: Dialect;
  /** The checkout that its script is of: its arguments may name files there. */
  checkout?: string;
  /** The interpreter that runs it, where it has one of its own. */
  python?: string;
  /** Model files that it is given by flags, among its further arguments. */
  models?: readonly ModelNeed[];
  /** Starting points by GPU, largest first; each is a value of the setting `vram`. */
  presets?: readonly GpuPreset[];
  /** What is given to the script unless a person says otherwise, for the base model and the preset that were chosen. */
  given?(settings: Pick<TrainingSettings, 'base_model' | 'vram'>): Record<string, ArgumentValue>;
  /** What its script would refuse: one sentence a field, further flags as `arguments.<flag>`. */
  conflicts?(settings: TrainingSettings, own: Record<string, ArgumentValue>): Record<string, string>;
  /** Its arguments as far as they are known without asking its parser, which takes a while. */
  basics?: readonly Argument[];
  /** Flags that its settings become, and no further arguments. */
  fromSettings: readonly string[];
  /** Which flags of the script may be given under `arguments`: all but those that Trackside or a setting gives. */
  furtherArguments(all: readonly Argument[]): Argument[];
  /** A Python package that it needs for pictures of these names, and why; null where none. */
  needsFor?(pictures: readonly string[]): PackageNeed | null;
  /** It trains on GPUs: one session has one to itself. */
  usesGpu?: boolean;
  /** What its processes find in their environment beside ours. */
  environment?(input: TrainingInput): Promise<Record<string, string>>;
  command(input: TrainingInput): Command;
  /** What lies beside the command; train.sh holds `command`, which on a resume need not be that of `input`, and `environment`. */
  files(input: TrainingInput, command: Command, environment?: Record<string, string>): InputFile[];
};
