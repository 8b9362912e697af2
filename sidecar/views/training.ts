import type { DatasetImage } from '../datasets/facts.js';
import { type BucketRules, type Trained, trainedAs } from '../trainers/buckets.js';

/** How pictures are sorted at a resolution in pixels; `values` are those of the form, further flags as `arguments.<name>`. */
export function rulesFor(resolution: number, values: Record<string, string> = {}): BucketRules {
  const step = Number(values['arguments.bucket_reso_steps']);
  return {
    resolution,
    step: Number.isInteger(step) && step > 0 ? step : 64,
    noUpscale: values['arguments.bucket_no_upscale'] === 'true',
  };
}

/** What becomes of a picture in a training; null where its size is unknown. */
export function trainingOf({ width, height }: DatasetImage, rules: BucketRules): Trained | null {
  if (!width || !height) return null;
  const trained = trainedAs([width, height], rules);
  return trained.bucket[0] > 0 && trained.bucket[1] > 0 ? trained : null;
}

/** The same in words, and as a shape over the picture: what is cut off. */
export function trainingView(image: DatasetImage, rules: BucketRules) {
  const trained = trainingOf(image, rules);
  const { width, height } = image;
  if (!trained || !width || !height) return null;
  const { bucket, cut, enlarged } = trained;
  const percent = Math.round(100 * Math.max(cut.width, cut.height));
  const [x, y] = [(cut.width * width) / 2, (cut.height * height) / 2].map(Math.round) as [number, number];
  const sides = cut.width >= cut.height ? 'left and right' : 'top and bottom';
  return {
    words: `trained at ${bucket[0]} × ${bucket[1]}${percent > 0 ? `, ${percent} % cut off at ${sides}` : ''}`,
    small: enlarged > 1.01 ? `small for ${rules.resolution} pixels: enlarged ${enlarged.toFixed(1)} times` : null,
    // A picture that is turned by its metadata is shown upright, but cut as it is stored.
    shape:
      percent > 0 && !image.turned
        ? {
            box: `0 0 ${width} ${height}`,
            path: `M0 0H${width}V${height}H0ZM${x} ${y}V${height - y}H${width - x}V${y}Z`,
          }
        : null,
  };
}
