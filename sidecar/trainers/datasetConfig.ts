import { stringify } from 'smol-toml';
import { bucketRange } from './buckets.js';

/** A folder of pictures with `.txt` captions; `classWords` is the caption of pictures without one. */
export type PictureFolder = {
  imageDir: string;
  classWords: string;
  repeats: number;
  /** Regularisation pictures: they show the class without the trigger word. */
  isReg?: boolean;
  /** Pixels of a square side, if it differs from the others. */
  resolution?: number | null;
};

/**
 * dataset.toml (sd-scripts library/config_util.py; sd-scripts.md, section 7). Buckets are on: without them non-square
 * pictures are cropped. The one kept token is the trigger word, which stays in front.
 */
export function datasetConfig(dataset: {
  folders: readonly PictureFolder[];
  /** Pixels of a square side. */
  resolution: number;
  batchSize: number;
  shuffleCaption?: boolean;
  keepTokens?: number;
}): string {
  const { folders, resolution, batchSize, shuffleCaption = false, keepTokens = 1 } = dataset;
  return stringify({
    general: { caption_extension: '.txt', shuffle_caption: shuffleCaption, keep_tokens: keepTokens },
    datasets: [...byResolution(folders, resolution)].map(([pixels, ofThem]) => ({
      resolution: pixels,
      batch_size: batchSize,
      enable_bucket: true,
      min_bucket_reso: bucketRange(pixels)[0],
      max_bucket_reso: bucketRange(pixels)[1],
      subsets: ofThem.map(({ imageDir, classWords, repeats, isReg }) => ({
        image_dir: imageDir,
        class_tokens: classWords,
        num_repeats: repeats,
        ...(isReg ? { is_reg: true } : {}),
      })),
    })),
  });
}

/** A dataset of sd-scripts has one resolution for all its folders. */
function byResolution(folders: readonly PictureFolder[], usual: number): Map<number, PictureFolder[]> {
  const all = new Map<number, PictureFolder[]>();
  for (const folder of folders) {
    const pixels = folder.resolution ?? usual;
    all.set(pixels, [...(all.get(pixels) ?? []), folder]);
  }
  return all;
}
