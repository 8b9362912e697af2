import { z } from 'zod';

/**
 * A dataset is `datasets/<name>/`: pictures, and captions of the same stem in `.txt` files, byte for byte as uploaded. HEIC
 * photos alone are converted to JPEG (`asKept.ts`).
 */
export const datasetFacts = z
  .object({
    name: z.string(),
    /** Absolute. */
    path: z.string(),
    /** How many pictures, and how many of them have a caption. */
    images: z.number(),
    captions: z.number(),
    /** File name of the picture that represents the dataset, or null. */
    cover: z.string().nullable(),
    modified_at: z.string(),
  })
  .meta({ id: 'Dataset' });
export type DatasetFacts = z.infer<typeof datasetFacts>;

const datasetImage = z
  .object({
    file: z.string(),
    stem: z.string(),
    bytes: z.number(),
    /** Pixels as stored; null if the picture can't be decoded. */
    width: z.number().nullable(),
    height: z.number().nullable(),
    /** Null without a caption file. */
    caption: z.string().nullable(),
    /** Its caption file, where that is named after another stem: `cat.txt` of `cat_40_40_20_1.png`. */
    caption_file: z.string().optional(),
    /** Why a trainer can't read the caption file, in words; else null or absent. */
    caption_problem: z.string().nullish(),
    /** Rotated or mirrored by its metadata, which sd-scripts ignores (library/train_util.py load_image). */
    turned: z.boolean().optional(),
    /** A trainer of plain PNGs reads it as it is. */
    plain: z.boolean().optional(),
    /** A BMP: sd-scripts reads it, Trackside does not. */
    unchecked: z.boolean().optional(),
    /** Why a trainer can't read the picture, in words; else null. */
    problem: z.string().nullable(),
    /** Changes with the file, so that its address may be cached for ever. */
    revision: z.string(),
  })
  .meta({ id: 'Picture' });
export type DatasetImage = z.infer<typeof datasetImage>;

/** Untrained contents of a dataset's folder: file names, and folders in it (`img/10_cat`) with pictures. */
const passedOver = z.object({
  other_kinds: z.array(z.string()),
  other_captions: z.array(z.string()),
  folders: z.array(z.object({ folder: z.string(), pictures: z.number() })),
});
export type PassedOver = z.infer<typeof passedOver>;

export const datasetDetail = datasetFacts
  .extend({
    files: z.array(datasetImage),
    /** Caption files without a picture of the same stem: kept, but read by no trainer. */
    orphan_captions: z.array(z.string()),
    passed_over: passedOver,
    /** Pictures that are still to be decoded, in the background, before it is known that they are whole. */
    not_decoded: z.number(),
  })
  .meta({ id: 'DatasetDetail' });
export type DatasetDetail = z.infer<typeof datasetDetail>;
