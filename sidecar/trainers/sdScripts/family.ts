import type { ArgumentValue } from '../arguments.js';
import type { TrainingSettings } from '../setting.js';
import type { GpuPreset, ModelNeed } from '../trainer.js';

/** Flags without their dashes; `false` removes an earlier layer's flag. */
export type Flags = Record<string, ArgumentValue>;

/** A model that a family trains on; `value` is ui_state.json's `base_model`, and the key for downloads. */
export type BaseModel = {
  value: string;
  label: string;
  /** This model's flags, beside the family's. */
  flags?: Flags;
  /** If it differs from the family's. */
  mostBlocksToSwap?: number;
};

/** A starting point for a GPU; `vram` is ui_state.json's: "20G", or "CPU". */
export type Preset = GpuPreset & { flags: Flags };

/**
 * One kind of base model of kohya-ss/sd-scripts: its script's needs, and starting values. Facts as of commit 48d368f
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
  /** Fixed flags: without them the script refuses or trains something else. */
  fixed: Flags;
  /** Default flags for any GPU. */
  flags: Flags;
  presets: readonly [Preset, ...Preset[]];
  /** Help for sample prompts, if they need more than usual. */
  promptHelp?: string;
  /** Defaults of the form. */
  settings: Partial<TrainingSettings>;
  /** `bucket_reso_steps` must be a multiple of it. */
  bucketStep: number;
  /** The limit of `--blocks_to_swap`; 0: the script can't swap. */
  mostBlocksToSwap: number;
  /** Values of `--timestep_sampling`; null if the script has no such flag. */
  timestepSampling: readonly string[] | null;
  /** Does the script take `--guidance_scale`? */
  guidance: boolean;
  /** Only the image model can be trained while text encoder outputs are cached. */
  cachingNeedsUnetOnly: boolean;
  /** Text encoder outputs of dropped captions can be cached too. */
  cachesDroppedCaptions: boolean;
};
