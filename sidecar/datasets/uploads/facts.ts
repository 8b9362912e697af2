/** What became of uploaded files. `notes` say what was unusual about files that were accepted. */
export type Taken = {
  accepted: string[];
  notes: string[];
  refused: { file: string; code: string; reason: string }[];
};

/** An upload in parts: of a picture, or of an archive of pictures and captions. */
export type UploadFacts = {
  id: string;
  dataset: string;
  file: string;
  /** Of the whole file, and how many of them have arrived and are on the disk. */
  bytes: number;
  arrived: number;
  /** CRC-32 of what has arrived, 8 hex digits. */
  crc32: string;
  /** `taking`: all has arrived, and is being unpacked and decoded. */
  state: 'arriving' | 'taking' | 'taken' | 'refused';
  /** Of an archive that is being unpacked: bytes. */
  unpacked: { done: number; total: number } | null;
  taken: Taken | null;
  /** Why it was refused as a whole. */
  problem: { code: string; message: string } | null;
  created_at: string;
};

/** The same upload, told by what a page knows of a file before it reads it. */
export type UploadRequest = {
  file: string;
  bytes: number;
  /** When the sender's file was changed last, in milliseconds since 1970; 0 where unknown. */
  modified: number;
};
