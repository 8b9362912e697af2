import { z } from 'zod';
import type { Problem } from '../../problem.js';

/** `after_name`: the reason without the file's name at its beginning; absent where it does not begin so. */
const refusal = z.object({ file: z.string(), code: z.string(), reason: z.string(), after_name: z.string().optional() });

export function refusalOf(file: string, { code, message, afterName }: Problem): z.infer<typeof refusal> {
  return { file, code, reason: message, ...(afterName === undefined ? {} : { after_name: afterName }) };
}

/** The result for uploaded files. `converted`: accepted HEIC photos, which are JPEGs now; `notes`: remarks on accepted files. */
export const taken = z.object({
  accepted: z.array(z.string()),
  converted: z.array(z.string()).default([]),
  notes: z.array(z.string()),
  refused: z.array(refusal),
});
export type Taken = z.infer<typeof taken>;

/** An upload in parts: of a picture, or of an archive of pictures and captions. */
export type UploadFacts = {
  id: string;
  dataset: string;
  file: string;
  /** Size of the whole file, and of the part on the disk. */
  bytes: number;
  arrived: number;
  /** CRC-32 of the arrived bytes, 8 hex digits. */
  crc32: string;
  /** `taking`: it has arrived whole, and is being unpacked and decoded. */
  state: 'arriving' | 'taking' | 'taken' | 'refused';
  /** Bytes of an archive that is being unpacked. */
  unpacked: { done: number; total: number } | null;
  taken: Taken | null;
  /** Why the whole upload was refused. */
  problem: { code: string; message: string; after_name?: string | undefined } | null;
  created_at: string;
};

/** Identifies an upload by what a page knows of a file before reading it. */
export type UploadRequest = {
  file: string;
  bytes: number;
  /** When the sender's file was last changed, in milliseconds since 1970; 0 if unknown. */
  modified: number;
};
