import { stringify } from 'smol-toml';

/**
 * dataset.toml for one folder of pictures with `.txt` captions (sd-scripts library/config_util.py; sd-scripts.md,
 * section 7). Buckets are on: without them pictures that are not square are cropped. One kept token is the trigger
 * word, which stays in front.
 */
export function datasetConfig(dataset: {
  imageDir: string;
  triggerWord: string;
  repeats: number;
  /** Pixels of a square side. */
  resolution: number;
  batchSize: number;
}): string {
  const { imageDir, triggerWord, repeats, resolution, batchSize } = dataset;
  return stringify({
    general: { caption_extension: '.txt', shuffle_caption: false, keep_tokens: 1 },
    datasets: [
      {
        resolution,
        batch_size: batchSize,
        enable_bucket: true,
        // sd-scripts refuses a resolution outside these two.
        min_bucket_reso: Math.min(256, resolution),
        max_bucket_reso: Math.max(1024, resolution),
        subsets: [{ image_dir: imageDir, class_tokens: triggerWord, num_repeats: repeats }],
      },
    ],
  });
}
