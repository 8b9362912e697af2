/** How sd-scripts sorts pictures by shape; sizes are pixels. */
export type BucketRules = { resolution: number; step: number; noUpscale: boolean };

export type Size = [width: number, height: number];

/** What becomes of a picture in a training. */
export type Trained = {
  /** The size at which it is trained. */
  bucket: Size;
  /** Its size before it is cut to that: the whole picture, scaled. */
  resized: Size;
  /** The part of its width, or of its height, that is cut off in all, half of it on each side: from 0 to 1. */
  cut: { width: number; height: number };
  /** How many times it is enlarged; 1 or less where it has all the pixels that are trained. */
  enlarged: number;
};

/** The shortest and the longest side of a bucket in the dataset.toml of a session: sd-scripts refuses a resolution outside of them. */
export function bucketRange(resolution: number): [shortest: number, longest: number] {
  return [Math.min(256, resolution), Math.max(1024, resolution)];
}

/**
 * The bucket of a picture, and what is cut off, as sd-scripts does it (library/train_util.py BucketManager.select_bucket and
 * trim_and_resize_if_required, without random_crop). `size` is that of the picture as stored.
 */
export function trainedAs(size: Size, rules: BucketRules): Trained {
  const { bucket, resized } = rules.noUpscale ? withoutUpscale(size, rules) : nearest(size, rules);
  const part = (whole: number, kept: number) => Math.max(0, (whole - kept) / whole);
  return {
    bucket,
    resized,
    cut: { width: part(resized[0], bucket[0]), height: part(resized[1], bucket[1]) },
    enlarged: resized[0] / size[0],
  };
}

type Placed = Pick<Trained, 'bucket' | 'resized'>;

function nearest([width, height]: Size, rules: BucketRules): Placed {
  const all = bucketSizes(rules);
  const shape = width / height;
  const same = all.find(([w, h]) => w === width && h === height);
  const error = ([w, h]: Size) => Math.abs(w / h - shape);
  const bucket = same ?? all.reduce((best, each) => (error(each) < error(best) ? each : best));
  const scale = shape > bucket[0] / bucket[1] ? bucket[1] / height : bucket[0] / width;
  return { bucket, resized: [Math.floor(width * scale + 0.5), Math.floor(height * scale + 0.5)] };
}

/** All sizes, in the order in which sd-scripts looks at them (library/model_util.py make_bucket_resolutions). */
export function bucketSizes({ resolution, step }: BucketRules): Size[] {
  const [min, max] = bucketRange(resolution);
  const shortest = min - (min % step);
  const longest = max % step === 0 ? max : max + step - (max % step);
  const area = resolution * resolution;
  const square = Math.floor(Math.sqrt(area) / step) * step;
  const sizes = new Map<string, Size>([[`${square} ${square}`, [square, square]]]);
  for (let width = shortest; width <= longest && width > 0; width += step) {
    const height = Math.min(longest, Math.floor(Math.floor(area / width) / step) * step);
    if (height < shortest) continue;
    sizes.set(`${width} ${height}`, [width, height]).set(`${height} ${width}`, [height, width]);
  }
  return [...sizes.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

function withoutUpscale([width, height]: Size, { resolution, step }: BucketRules): Placed {
  const area = resolution * resolution;
  const resized: Size = width * height > area ? shrunk(width / height, area, step) : [width, height];
  return { bucket: [resized[0] - (resized[0] % step), resized[1] - (resized[1] % step)], resized };
}

/** By the side that can be rounded with the smaller change of shape. */
function shrunk(shape: number, area: number, step: number): Size {
  const round = (x: number) => Math.floor(x + 0.5) - (Math.floor(x + 0.5) % step);
  const width = Math.sqrt(area * shape);
  const byWidth = round(width);
  const byHeight = round(area / width);
  const error = (w: number, h: number) => Math.abs(w / h - shape);
  return error(byWidth, round(byWidth / shape)) < error(round(byHeight * shape), byHeight)
    ? [byWidth, Math.floor(byWidth / shape + 0.5)]
    : [Math.floor(byHeight * shape + 0.5), byHeight];
}
