/** A dataset is `datasets/<name>/`: pictures, and captions of the same stem in `.txt` files, byte for byte as uploaded. */
export type DatasetFacts = {
  name: string;
  /** Absolute. */
  path: string;
  /** How many pictures, and how many of them have a caption. */
  images: number;
  captions: number;
  /** A file name of a picture to stand for the whole, or null. */
  cover: string | null;
  modified_at: string;
};

export type DatasetImage = {
  file: string;
  stem: string;
  bytes: number;
  /** Pixels as they are stored; null where the picture can't be decoded. */
  width: number | null;
  height: number | null;
  /** Null where there is no caption file. */
  caption: string | null;
  /** Why a trainer could not read its caption file, in words, else null or absent. */
  caption_problem?: string | null;
  /** Does its metadata say to turn or mirror it? sd-scripts does not (library/train_util.py load_image). */
  turned?: boolean;
  /** A BMP: sd-scripts reads it, Trackside does not. */
  unchecked?: boolean;
  /** Why a trainer could not read it, in words, else null. */
  problem: string | null;
  /** Changes with the file: for addresses that may be cached for ever. */
  revision: string;
};

export type DatasetDetail = DatasetFacts & {
  files: DatasetImage[];
  /** Caption files that have no picture of their stem: kept, but no trainer reads them. */
  orphan_captions: string[];
  passed_over: PassedOver;
};

/** What lies in a dataset's folder and is not trained: file names, and folders in it (`img/10_cat`) that hold pictures. */
export type PassedOver = {
  other_kinds: string[];
  other_captions: string[];
  folders: { folder: string; pictures: number }[];
};
