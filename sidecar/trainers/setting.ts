/** The settings of a training by their names and types in ui_state.json; the name of the LoRA is the session's. */
export type TrainingSettings = {
  /** The trigger word. */
  concept_sentence: string;
  base_model: string;
  vram: string;
  num_repeats: number;
  max_train_epochs: number;
  /** One prompt per line. */
  sample_prompts: string;
  /** 0: none. */
  sample_every_n_steps: number;
  resolution: number;
  /** Save state folders, to resume from. */
  enable_checkpointing: boolean;
  /** Auto-resume after an interruption or a crash. */
  enable_monitoring: boolean;
  /** After it ran out of GPU memory: try once more, with the next smaller preset. */
  retry_smaller: boolean;
  seed: number;
  workers: number;
  /** As typed: "8e-4". */
  learning_rate: string;
  save_every_n_epochs: number;
  guidance_scale: number;
  timestep_sampling: string;
  network_dim: number;
  /** As typed: "0", "0,1", "all"; empty is the first free one. */
  gpus: string;
  /** Additional datasets, and regularisation pictures: `subsets.ts` reads their lines. */
  more_datasets: string;
  reg_datasets: string;
};

export type SettingName = keyof TrainingSettings;

/** A field of the form, with the rules for its value. */
export type Setting = {
  name: SettingName;
  label: string;
  /** One sentence under the field. */
  help: string | null;
  /** `lines` is text of several lines; `decimal` is a number that is kept as typed. */
  type: 'text' | 'lines' | 'integer' | 'number' | 'decimal' | 'switch' | 'choice';
  default: string | number | boolean;
  /** Inclusive, but a `decimal` has to be more than `min`; null: no limit. */
  min: number | null;
  max: number | null;
  /** "steps", "pixels", … after the field. */
  unit: string | null;
  choices: readonly { value: string; label: string }[] | null;
  /** A resume can't change it: network, optimizer and the order of the pictures come from the state. */
  fixedOnResume: boolean;
};
