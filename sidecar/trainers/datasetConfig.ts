import { stringify } from 'smol-toml';

/** A folder of pictures with `.txt` captions; `classWords` is the caption of pictures without one. */
export type PictureFolder = {
  imageDir: string;
  classWords: string;
  repeats: number;
  /** Regularisation pictures: they show the class without the trigger word. */
  isReg?: boolean;
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
    datasets: [
      {
        resolution,
        batch_size: batchSize,
        enable_bucket: true,
        // sd-scripts refuses a resolution outside these two.
        min_bucket_reso: Math.min(256, resolution),
        max_bucket_reso: Math.max(1024, resolution),
        subsets: folders.map(({ imageDir, classWords, repeats, isReg }) => ({
          image_dir: imageDir,
          class_tokens: classWords,
          num_repeats: repeats,
          ...(isReg ? { is_reg: true } : {}),
        })),
      },
    ],
  });
}
