import type { Argument, ArgumentValue } from './arguments.js';
import type { Setting, TrainingSettings } from './trainingSettings.js';

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

/** Something that can train. Knows its flags and files; knows nothing of processes or HTTP. */
export type Trainer = {
  /** As in ui_state.json and in addresses: "practice", "sd-scripts/flux". */
  id: string;
  label: string;
  /** One or two sentences for the form. */
  description: string;
  /** The fields of its form, in the order of the page. The other names of ui_state.json mean nothing to it. */
  settings: readonly Setting[];
  /** Whose parser names the further flags; run from `cwd`. */
  script: { path: string; cwd: string };
  /** Which flags of the script may be given under `arguments`: all but those that Trackside or a setting gives. */
  furtherArguments(all: readonly Argument[]): Argument[];
  /** A Python package that it needs for pictures of these names, and why; null where none. */
  needsFor?(pictures: readonly string[]): PackageNeed | null;
  /** Of the code that trains, for the record. */
  commit?: string | null;
  /** It trains on GPUs: one session has one to itself. */
  usesGpu?: boolean;
  /** What its processes find in their environment beside ours. */
  environment?(input: TrainingInput): Record<string, string>;
  command(input: TrainingInput): Command;
  /** What lies beside the command; train.sh holds `command`, which on a resume need not be that of `input`. */
  files(input: TrainingInput, command: Command): InputFile[];
};
