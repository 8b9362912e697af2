import type { ArgumentValue } from '../arguments.js';
import type { TrainingSettings } from '../setting.js';
import type { GpuPreset, ModelNeed } from '../trainer.js';

/** Flags without their dashes; `false` takes away what an earlier layer gave. */
export type Flags = Record<string, ArgumentValue>;

/** A model that a family trains on; `value` is ui_state.json's `base_model`, and what MODELS downloads by. */
export type BaseModel = {
  value: string;
  label: string;
  /** Flags that this model needs, beside the family's. */
  flags?: Flags;
  /** Where it differs from the family. */
  mostBlocksToSwap?: number;
};

/** A starting point for a GPU; `vram` is ui_state.json's: "20G", or "CPU". */
export type Preset = GpuPreset & { flags: Flags };

/**
 * One kind of base model of kohya-ss/sd-scripts: what its script needs, and where to begin. Facts as of commit 48d368f
 * (sd-scripts.md, section 1; the scripts' `assert_extra_args`; docs/*_train_network.md).
 */
export type Family = {
  id: `sd-scripts/${string}`;
  label: string;
  description: string;
  /** Relative to the checkout. */
  script: string;
  /** The network to train; the first is the usual one. */
  networkModules: readonly [string, ...string[]];
  /** The main model first. */
  needs: readonly [ModelNeed, ...ModelNeed[]];
  baseModels: readonly [BaseModel, ...BaseModel[]];
  /** Always given, and not to be changed: without them the script refuses or trains something else. */
  fixed: Flags;
  /** Where to begin, whatever the GPU; each may be changed. */
  flags: Flags;
  presets: readonly [Preset, ...Preset[]];
  /** How a sample prompt has to be written for it, where the usual way is not enough. */
  promptHelp?: string;
  /** What the form begins with. */
  settings: Partial<TrainingSettings>;
  /** `bucket_reso_steps` has to be a multiple of it. */
  bucketStep: number;
  /** Of `--blocks_to_swap`; 0: the script cannot swap. */
  mostBlocksToSwap: number;
  /** Values of `--timestep_sampling`, null where the script has no such flag. */
  timestepSampling: readonly string[] | null;
  /** Does the script take `--guidance_scale`? */
  guidance: boolean;
  /** Only the image model can be trained while text encoder outputs are cached. */
  cachingNeedsUnetOnly: boolean;
  /** Text encoder outputs of dropped captions can be cached too. */
  cachesDroppedCaptions: boolean;
};
