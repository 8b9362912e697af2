/**
 * A dataset is `datasets/<name>/`: pictures, and captions of the same stem in `.txt` files, byte for byte as uploaded. HEIC
 * photos alone are converted to JPEG (`asKept.ts`).
 */
export type DatasetFacts = {
  name: string;
  /** Absolute. */
  path: string;
  /** How many pictures, and how many of them have a caption. */
  images: number;
  captions: number;
  /** File name of the picture that represents the dataset, or null. */
  cover: string | null;
  modified_at: string;
};

export type DatasetImage = {
  file: string;
  stem: string;
  bytes: number;
  /** Pixels as stored; null if the picture can't be decoded. */
  width: number | null;
  height: number | null;
  /** Null without a caption file. */
  caption: string | null;
  /** Its caption file, where that is named after another stem: `cat.txt` of `cat_40_40_20_1.png`. */
  caption_file?: string;
  /** Why a trainer can't read the caption file, in words; else null or absent. */
  caption_problem?: string | null;
  /** Rotated or mirrored by its metadata, which sd-scripts ignores (library/train_util.py load_image). */
  turned?: boolean;
  /** A trainer of plain PNGs reads it as it is. */
  plain?: boolean;
  /** A BMP: sd-scripts reads it, Trackside does not. */
  unchecked?: boolean;
  /** Why a trainer can't read the picture, in words; else null. */
  problem: string | null;
  /** Changes with the file, so that its address may be cached for ever. */
  revision: string;
};

export type DatasetDetail = DatasetFacts & {
  files: DatasetImage[];
  /** Caption files without a picture of the same stem: kept, but read by no trainer. */
  orphan_captions: string[];
  passed_over: PassedOver;
  /** Pictures that are still to be decoded, in the background, before it is known that they are whole. */
  not_decoded: number;
};

/** Untrained contents of a dataset's folder: file names, and folders in it (`img/10_cat`) with pictures. */
export type PassedOver = {
  other_kinds: string[];
  other_captions: string[];
  folders: { folder: string; pictures: number }[];
};
