import { basename, join } from 'node:path';
import { checkDataset } from '../../datasets/check.js';
import type { DatasetDetail } from '../../datasets/facts.js';
import { fingerprintDataset } from '../../datasets/fingerprint.js';
import { readDataset } from '../../datasets/read.js';
import { missingSubset } from '../../datasets/subsets.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import { error, type Finding, warning } from '../../trainers/finding.js';
import type { TrainingSettings } from '../../trainers/setting.js';
import { subsetsOf } from '../../trainers/subsets.js';
import type { Trainer } from '../../trainers/trainer.js';
import type { UiState } from '../record/uiState.js';
import { requirePackage } from './requirePackage.js';

/** Reads a session's pictures, wherever the datasets folder is today. Throws a Problem when they are missing. */
export async function readPictures(
  settings: Settings,
  session: { name: string },
  state: UiState,
  patience?: number | null,
): Promise<DatasetDetail> {
  const more = { about: { newFrom: session.name }, field: 'dataset' };
  const path = state.dataset?.path ?? join(settings.datasets, session.name);
  const isHere = path.startsWith(`${settings.datasets}/`);
  const name = isHere ? path.slice(settings.datasets.length + 1) : basename(path);
  const detail = await readDataset(settings.datasets, name, patience).catch((error: unknown) => {
    const gone = `The dataset ${path} was not found. Choose another one; the settings are kept.`;
    throw error instanceof Problem && error.code === 'no_dataset' ? new Problem('missing_dataset', gone, more) : error;
  });
  // The datasets folder may have moved with the pod: the same name with the same content counts as the same.
  if (!isHere && fingerprintDataset(detail) !== state.dataset?.fingerprint) {
    const other = `The dataset ${path} is not in ${settings.datasets}, and the ${name} there has other pictures. Choose another one.`;
    throw new Problem('missing_dataset', other, more);
  }
  return detail;
}

/** Finds pictures and captions that would end a trainer, or that it would skip. */
export async function checkPictures(detail: DatasetDetail, trainer: Trainer, python: string): Promise<Finding[]> {
  const { errors, warnings } = checkDataset(detail, { turns: trainer.plainPictures ?? false });
  const more = { field: 'dataset', about: { dataset: detail.name } };
  const found = [
    ...errors.map((message) => error('bad_dataset', message, more)),
    ...warnings.map((message) => warning('dataset', message, more)),
  ];
  const pictures = detail.files.map(({ file }) => file);
  try {
    await requirePackage(trainer, pictures, python);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    found.push(error(problem.code, problem.ahead, { field: 'dataset' }));
  }
  return found;
}

/** Finds missing additional datasets: sd-scripts would silently train without them. */
export async function checkSubsets(
  datasets: string,
  settings: Pick<TrainingSettings, 'more_datasets' | 'reg_datasets'>,
): Promise<Finding[]> {
  const fields = ['more_datasets', 'reg_datasets'] as const;
  const missing = await Promise.all(fields.map((field) => missingSubset(datasets, subsetsOf(settings[field]))));
  return fields.flatMap((field, at) => (missing[at] ? [error('missing_dataset', missing[at], { field })] : []));
}

/** Warns of pictures or repeats that changed since the last attempt: they change the steps per epoch. */
export function checkSamePictures(detail: DatasetDetail, state: UiState): Finding[] {
  if (!changedSince(detail, state)) return [];
  const message =
    'The pictures, captions or repeats have changed since the last attempt. All epochs are still trained, but each may now have a different number of steps.';
  return [warning('dataset_changed', message, { field: 'dataset', about: { dataset: detail.name } })];
}

/** Did the dataset change since the last attempt, so that its steps may differ? */
export function changedSince(detail: DatasetDetail, state: UiState): boolean {
  const { dataset } = state;
  if (state.attempts.length === 0 || !dataset?.fingerprint) return false;
  const repeats = dataset.repeats ?? state.num_repeats;
  return fingerprintDataset(detail) !== dataset.fingerprint || repeats !== state.num_repeats;
}
