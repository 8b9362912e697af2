import { ifUnreadable } from '../caught.js';
import { readDataset } from './read.js';

/** Why the first of these datasets that cannot be trained on can't, in words; null where all can. */
export async function missingSubset(root: string, subsets: readonly { name: string }[]): Promise<string | null> {
  for (const { name } of subsets) {
    const detail = await readDataset(root, name).catch(ifUnreadable(null, 'datasets'));
    if (!detail) return `There is no dataset ${name}. Upload it, or take its line away.`;
    if (detail.images === 0) return `The dataset ${name} holds no pictures. Upload some, or take its line away.`;
  }
  return null;
}
