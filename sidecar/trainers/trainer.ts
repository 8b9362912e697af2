import type { ModelRole } from '../models/roles.js';
import type { Argument, ArgumentValue } from './arguments.js';
import type { Dialect } from './dialect.js';
import type { Finding } from './finding.js';
import type { Description } from './script/description.js';
import type { Setting, TrainingSettings } from './setting.js';

/** The input of one attempt. All paths are absolute. */
export type TrainingInput = {
  settings: TrainingSettings;
  /** Further flags of the trainer, checked by `checkArguments`, without their leading dashes. */
  arguments: Record<string, ArgumentValue>;
  datasetPath: string;
  outputPath: string;
  /** The first part of all file names of the session: `<outputName>-000004.safetensors`. */
  outputName: string;
  /** `firstEpoch` counts from 1, `firstStep` from 0: optimizer steps before it. Both come from `resumeRecipe`. */
  resume: { statePath: string; firstEpoch: number; firstStep: number } | null;
  /** Its GPUs, by nvidia-smi's index: several share one run. May be empty. */
  gpus: readonly number[];
  /** `cluster`: it gives each job GPUs that count from 0 there, and says which; then only how many of them matters. */
  gpusBy?: 'index' | 'cluster';
  /** The interpreter that runs the trainer. */
  python: string;
  /** Start it so that it can be paused after any step, where it can be. */
  exactPause?: boolean;
};

/** Exact tokens for exec, no shell in between. */
export type Command = { argv: string[]; cwd: string };

/** A file to write into the output folder before the trainer starts; `name` is relative to it. */
export type InputFile = { name: string; content: string; executable: boolean };

/** `module` is the name for import, `name` the one for pip; `why` is a sentence. */
export type PackageNeed = { module: string; name: string; why: string };

/** A model file that a script gets by a flag. */
export type ModelNeed = { flag: string; role: ModelRole; required: boolean; label: string };

/** `gib`: GiB of memory that such a GPU has; 0 for none. `why` is a sentence. */
export type GpuPreset = { vram: string; gib: number; label: string; why: string };

/**
 * A form that is the script's own parser. `describe` throws a Problem with the reason why there is none, and `check` one with
 * what the parser refuses.
 */
export type OwnForm = {
  describe(): Promise<Description>;
  check(description: Description, values: Record<string, ArgumentValue>): Promise<void>;
  /** `folder` is the session's, for a script that plainly says where it writes. */
  command(description: Description, values: Record<string, ArgumentValue>, folder: string): Command;
  files(command: Command, environment: Record<string, string>): InputFile[];
};

/** A trainer: its flags and files, without processes or HTTP. */
export type Trainer = {
  /** As in ui_state.json and in addresses: "practice", "sd-scripts/flux". */
  id: string;
  label: string;
  /** One or two sentences for the form. */
  description: string;
  /** The fields of its form, in the order of the page. The other names of ui_state.json mean nothing to it. */
  settings: readonly Setting[];
  /**
   * The script, run from `cwd`; its parser has the further flags. `commit` and `also` (files in `cwd`) show changes.
   */
  script: { path: string; cwd: string; commit?: string | null; also?: readonly string[] };
  /** The reader of its console and files. */
  dialect: Dialect;
  /** The checkout of its script: arguments may name files there. */
  checkout?: string;
  /** Why its script can't be resumed, with the remedy; null if it can. */
  tooOld?(): Promise<string | null>;
  /** Its own interpreter, if it has one. */
  python?: string;
  /** Model files, given by flags among its further arguments. */
  models?: readonly ModelNeed[];
  /** Starting points by GPU, largest first; each is a value of the setting `vram`. */
  presets?: readonly GpuPreset[];
  /** Default flags for the chosen base model and preset. */
  given?(settings: Pick<TrainingSettings, 'base_model' | 'vram'>): Record<string, ArgumentValue>;
  /** Values that its script would refuse: one sentence per field, further flags as `arguments.<flag>`. */
  conflicts?(settings: TrainingSettings, own: Record<string, ArgumentValue>): Record<string, string>;
  /** What its script would find out minutes after the start. `isHere`: it runs on this machine, with this Python. */
  check?(start: {
    flags: Record<string, ArgumentValue>;
    rank: number;
    python: string;
    isHere: boolean;
  }): Promise<Finding[]>;
  /** The arguments that are known without its parser, which takes a while. */
  basics?: readonly Argument[];
  /** Flags that come from settings, not from further arguments. */
  fromSettings: readonly string[];
  /** The flags that `arguments` may have: all but those from Trackside or from settings. */
  furtherArguments(all: readonly Argument[]): Argument[];
  /** The Python package that it needs for pictures with these names, and the reason; or null. */
  needsFor?(pictures: readonly string[]): PackageNeed | null;
  /** It reads plain PNGs alone: other pictures are converted for it, beside the session. */
  plainPictures?: boolean;
  /** A script with a form of its own, instead of settings and pictures. */
  own?: OwnForm;
  /** It trains on GPUs, which belong to one session at a time. */
  usesGpu?: boolean;
  /** Additional environment variables. */
  environment?(input: TrainingInput): Promise<Record<string, string>>;
  command(input: TrainingInput): Command;
  /** Files beside the command. train.sh has `command` (on a resume perhaps not that of `input`) and `environment`. */
  files(input: TrainingInput, command: Command, environment?: Record<string, string>): InputFile[];
};
