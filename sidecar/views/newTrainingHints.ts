import { slug } from '../slug.js';
import { savesBeforeEnd } from '../trainers/expectedSaves.js';
import { expectedSteps } from '../trainers/expectedSteps.js';
import { plural } from './formatting.js';

export type HintsModel = {
  /** What stands in the fields, by name (further flags as `arguments.<name>`). */
  values: Record<string, string>;
  /** How many pictures the chosen dataset has; 0 where none is chosen. */
  images: number;
  /** LoRAs that exist: name, folder of the first version, and the version that the next session would be. */
  loras: { name: string; folder: string; next: number }[];
  /** A draft keeps its name and version. */
  isDraft: boolean;
};

/** What the form says about the values as they are now, by the id of the element that says it; '' where there is nothing to say. */
export type HintsView = { expected: string; 'next-version': string; 'saved-late': string };

/** Drawn with the form, and again while values are typed. */
export function hintsView({ values, images, loras, isDraft }: HintsModel): HintsView {
  const number = (name: string, fallback: number) => Number(values[name] || fallback);
  const repeats = number('num_repeats', 1);
  const epochs = number('max_train_epochs', 0);
  const batchSize = number('arguments.train_batch_size', 1);
  const accumulation = number('arguments.gradient_accumulation_steps', 1);
  const perEpoch = expectedSteps({ images, repeats, epochs: 1, batchSize, accumulation });
  const known = loras.find(({ folder }) => folder === slug((values.lora_name ?? '').trim()));
  return {
    expected: expected({ images, repeats, epochs, atOnce: batchSize * accumulation, perEpoch }, hasFurther(values)),
    'next-version':
      known && !isDraft ? `${known.name} exists: this becomes its V${known.next}. Nothing is overwritten.` : '',
    'saved-late': savedLate(values, epochs, hasFurther(values) || !(perEpoch > 0) ? null : perEpoch),
  };
}

type Counted = { images: number; repeats: number; epochs: number; atOnce: number; perEpoch: number };

/** "10 pictures × 10 repeats × 16 epochs = 1 600 steps" */
function expected({ images, repeats, epochs, atOnce, perEpoch }: Counted, further: boolean): string {
  if (!images) return 'Choose a dataset.';
  const steps = perEpoch * epochs;
  if (!(steps > 0 && Number.isFinite(steps))) return '';
  const divided = atOnce > 1 ? ` ÷ ${atOnce} per step` : '';
  const more = further ? ', plus the additional datasets' : '';
  return `${plural(images, 'picture')} × ${plural(repeats, 'repeat')} × ${plural(epochs, 'epoch')}${divided} = ${plural(steps, 'step')}${more}`;
}

/** `perEpoch` null: not known. */
function savedLate(values: Record<string, string>, epochs: number, perEpoch: number | null): string {
  if (values.enable_checkpointing === undefined) return '';
  if (values.enable_checkpointing !== 'true')
    return 'Without state folders, a training that stops for any reason has to start over.';
  const every = {
    epochs: Number(values.save_every_n_epochs || epochs),
    steps: Number(values['arguments.save_every_n_steps'] || 0),
  };
  return savesBeforeEnd(epochs, every, perEpoch)
    ? ''
    : 'With these settings nothing is saved before the end. A training that stops before has to start over.';
}

/** Their steps are not counted. */
function hasFurther(values: Record<string, string>): boolean {
  return Boolean(values.more_datasets || values.reg_datasets);
}
