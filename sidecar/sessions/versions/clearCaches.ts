import { basename } from 'node:path';
import { clearCaches } from '../../datasets/caches.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import type { Outputs } from '../outputs/outputs.js';
import { readPictures } from '../preflight/pictures.js';

/**
 * Clears the caches of a session's dataset; returns their names. Throws a Problem while a session trains on it (its
 * trainer reads them), and when the dataset is missing.
 */
export async function clearSessionCaches(
  { settings, outputs }: { settings: Settings; outputs: Outputs },
  name: string,
): Promise<string[]> {
  const session = await outputs.read(name);
  if (!session.state) throw new Problem('no_settings', 'Its settings are unknown.');
  const { path } = await readPictures(settings, session, session.state);
  const dataset = basename(path);
  const user = (await outputs.list()).find(
    ({ dataset_path, attempts }) => attempts.at(-1)?.alive && dataset_path && basename(dataset_path) === dataset,
  );
  if (user) {
    const more = { kept: 'Nothing was removed.', todo: 'Stop it first.', about: { session: user.name } };
    throw new Problem('dataset_in_use', `${user.name} is training on these pictures.`, more);
  }
  return clearCaches(settings.datasets, dataset);
}
