import { ifUnreadable } from '../caught.js';
import { checkDataset } from './check.js';
import { readDataset } from './read.js';

/** Why the first unusable one of these datasets can't be trained on, in words; null if all can. */
export async function missingSubset(root: string, subsets: readonly { name: string }[]): Promise<string | null> {
  for (const { name } of subsets) {
    const detail = await readDataset(root, name).catch(ifUnreadable(null, 'datasets'));
    if (!detail) return `There is no dataset ${name}. Upload it, or remove its line.`;
    if (detail.images === 0) return `The dataset ${name} has no pictures. Upload some, or remove its line.`;
    const { errors } = checkDataset(detail);
    if (errors.length > 0) return `The dataset ${name}: ${errors.join(' ')}`;
  }
  return null;
}
