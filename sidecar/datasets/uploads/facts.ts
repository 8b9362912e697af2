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
export const uploadFacts = z
  .object({
    id: z.string(),
    dataset: z.string(),
    file: z.string(),
    /** Size of the whole file, and of the part on the disk. */
    bytes: z.number(),
    arrived: z.number(),
    /** CRC-32 of the arrived bytes, 8 hex digits. */
    crc32: z.string(),
    /** `taking`: it has arrived whole, and is being unpacked and decoded. */
    state: z.enum(['arriving', 'taking', 'taken', 'refused']),
    /** Bytes of an archive that is being unpacked. */
    unpacked: z.object({ done: z.number(), total: z.number() }).nullable(),
    taken: taken.nullable(),
    /** Why the whole upload was refused. */
    problem: z.object({ code: z.string(), message: z.string(), after_name: z.string().optional() }).nullable(),
    created_at: z.string(),
  })
  .meta({ id: 'Upload' });
export type UploadFacts = z.infer<typeof uploadFacts>;

/** An upload in parts as it is announced, by what a page knows of a file before reading it. */
export const announced = z.object({
  file: z.string(),
  bytes: z.int().min(1),
  /** When the sender's file was last changed, in milliseconds since 1970; 0 if unknown. */
  modified: z.number().default(0),
});
export type UploadRequest = z.infer<typeof announced>;
