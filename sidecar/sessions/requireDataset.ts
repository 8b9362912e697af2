import { basename, join } from 'node:path';
import { checkDataset } from '../datasets/check.js';
import { fingerprintDataset } from '../datasets/fingerprint.js';
import { readDataset } from '../datasets/read.js';
import { Problem } from '../problem.js';
import type { Settings } from '../settings.js';
import type { Trainer } from '../trainers/trainer.js';
import { requirePackage } from './requirePackage.js';
import type { Session } from './session.js';
import type { UiState } from './uiState.js';

/** The folder of the session's pictures, checked: nothing is started that would fail for them. */
export async function requireDataset(
  settings: Settings,
  session: Session,
  state: UiState,
  trainer: Trainer,
): Promise<string> {
  const link = { link: `new?from=${encodeURIComponent(session.name)}`, field: 'dataset' };
  const path = state.dataset?.path ?? join(settings.datasets, session.name);
  const isHere = path.startsWith(`${settings.datasets}/`);
  const name = isHere ? path.slice(settings.datasets.length + 1) : basename(path);
  const detail = await readDataset(settings.datasets, name).catch((error: unknown) => {
    if (error instanceof Problem && error.status === 404) {
      throw new Problem(
        'no_dataset',
        422,
        `The dataset ${path} is not there. Choose a dataset for it; its settings are kept.`,
        link,
      );
    }
    throw error;
  });
  // The datasets were moved with the pod: pictures of this name, with the same content, are the same.
  if (!isHere && fingerprintDataset(detail) !== state.dataset?.fingerprint) {
    throw new Problem(
      'no_dataset',
      422,
      `The dataset ${path} is not one of the datasets folder ${settings.datasets}, and ${name} there holds other pictures. Choose one.`,
      link,
    );
  }
  const { errors } = checkDataset(detail);
  if (errors.length > 0)
    throw new Problem('bad_dataset', 422, errors.join(' '), { ...link, link: `datasets/${encodeURIComponent(name)}` });
  const pictures = detail.files.map(({ file }) => file);
  await requirePackage(trainer, pictures, settings.python);
  return detail.path;
}
