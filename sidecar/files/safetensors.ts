import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { jsonOrNull } from './exactJson.js';
import { inFile } from './inFile.js';
import { readAt } from './readAt.js';
import { openRegular } from './regularFile.js';
import { endsAsZip } from './zipArchive.js';

const MAX_HEADER_BYTES = 100_000_000;

export type SafetensorsHeader = {
  /** `ss_*`, `modelspec.*`, …: all values are strings. */
  metadata: Record<string, string>;
  tensors: number;
  /** Byte range of each tensor, in the file's order; `to` is exclusive. */
  places: TensorPlace[];
  /** Size of a file that contains every tensor, in bytes. */
  expectedBytes: number;
  bytes: number;
};

export type TensorPlace = { name: string; dtype: string; shape: number[]; from: number; to: number };

const headerShape = z.record(
  z.string(),
  z.union([
    z.looseObject({
      dtype: z.string(),
      shape: z.array(z.number().int().min(0)),
      data_offsets: z.tuple([z.number().int().min(0), z.number().int().min(0)]),
    }),
    z.record(z.string(), z.string()).nullable(),
  ]),
);

/**
 * Reads the header of a weights file, without its weights. A string instead of a header says what is wrong with the file
 * ("is cut short", …), to follow its name. Throws file-system errors.
 *
 * Format: u64 little-endian header length, JSON header, tensors without gaps between them (safetensors, README "Format").
 */
export async function readSafetensors(path: string): Promise<SafetensorsHeader | string> {
  const header = await readSafetensorsHeader(path);
  if (typeof header === 'string') return header;
  if (header.bytes < header.expectedBytes) return 'is cut short';
  return header.bytes > header.expectedBytes ? 'is longer than its header says' : header;
}

/** The same for a file whose weights may still be missing. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader | string> {
  return inFile(openRegular(path), readHeader);
}

/** The metadata in the first bytes of a weights file: at least its header. A string says what is wrong, to follow its name. */
export function metadataOf(head: Buffer): Record<string, string> | string {
  const length = head.length < 8 ? 0 : Number(head.readBigUInt64LE());
  if (length === 0 || length > MAX_HEADER_BYTES) return 'is not a safetensors file';
  if (8 + length > head.length) return 'is cut short, or its header is too large';
  const text = head.subarray(8, 8 + length);
  return (isUtf8(text) && parse(text.toString('utf8'))?.metadata) || 'has a broken header';
}

/** What is wrong with weights as `torch.save` writes them (.ckpt, .pt, .bin), in words that follow the file's name; null for none. */
export async function whatIsWrongInTorchFile(path: string): Promise<string | null> {
  return inFile(openRegular(path), async (file) => {
    const { size } = await file.stat();
    if (size === 0) return 'is empty';
    const head = await readAt(file, 0, Math.min(size, 64));
    if (head.subarray(0, 2).toString('latin1') === 'PK') return (await endsAsZip(path, size)) ? null : 'is cut short';
    // Until PyTorch 1.6: a pickle, whose end tells nothing.
    if (head[0] === 0x80 && (head[1] ?? 0) >= 2) return null;
    if (head[8] === 0x7b) return 'is a safetensors file: rename it, so that it ends in .safetensors';
    return FOREIGN.find(([pattern]) => pattern.test(head.toString('latin1')))?.[1] ?? 'is not a PyTorch file';
  });
}

async function readHeader(file: FileHandle): Promise<SafetensorsHeader | string> {
  const bytes = (await file.stat()).size;
  if (bytes === 0) return 'is empty';
  if (bytes < 8) return 'is cut short';
  const head = await readAt(file, 0, Math.min(bytes, 64));
  // A header begins there.
  const foreign = head[8] === 0x7b ? null : FOREIGN.find(([pattern]) => pattern.test(head.toString('latin1')));
  if (foreign) return foreign[1];
  const length = Number(head.readBigUInt64LE());
  if (length > MAX_HEADER_BYTES) return 'is not a safetensors file';
  if (8 + length > bytes) return 'is cut short';
  const text = await readAt(file, 8, length);
  const header = isUtf8(text) ? parse(text.toString('utf8')) : null;
  if (!header) return 'has a broken header';
  const expectedBytes = 8 + length + header.end;
  const places = header.places.map((place) => ({ ...place, from: place.from + 8 + length, to: place.to + 8 + length }));
  return { metadata: header.metadata, tensors: places.length, places, expectedBytes, bytes };
}

/** What is found under the name of weights, by its first bytes. */
const FOREIGN: readonly [pattern: RegExp, words: string][] = [
  [/^\s*</, 'is a web page and no weights: the download was refused, or needs a login'],
  [/^version https:\/\/git-lfs/, 'is a pointer of Git LFS, without the weights: get them with `git lfs pull`'],
  [/^PK/, 'is a PyTorch file (.pt) and no safetensors file'],
  [/^\s*\{\s*"/, 'is a JSON file and no weights'],
];

function parse(text: string): { metadata: Record<string, string>; places: TensorPlace[]; end: number } | null {
  const header = headerShape.safeParse(jsonOrNull(text));
  if (!header.success) return null;
  let metadata: Record<string, string> = {};
  const places: TensorPlace[] = [];
  for (const [name, entry] of Object.entries(header.data)) {
    if (name === '__metadata__') {
      metadata = (entry as Record<string, string> | null) ?? {};
      continue;
    }
    const { dtype, shape, data_offsets } = entry as Pick<TensorPlace, 'dtype' | 'shape'> & {
      data_offsets: [number, number];
    };
    places.push({ name, dtype, shape, from: data_offsets[0], to: data_offsets[1] });
  }
  places.sort((a, b) => a.from - b.from || a.to - b.to);
  let end = 0;
  for (const place of places) {
    if (place.from !== end || !isAsLong(place)) return null;
    end = place.to;
  }
  return { metadata, places, end };
}

/** Bits of a number (safetensors, tensor.rs `Dtype`). */
const BITS: Readonly<Record<string, number>> = {
  F4: 4,
  ...{ F6_E2M3: 6, F6_E3M2: 6 },
  ...{ BOOL: 8, U8: 8, I8: 8, F8_E4M3: 8, F8_E5M2: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8 },
  ...{ U16: 16, I16: 16, F16: 16, BF16: 16 },
  ...{ U32: 32, I32: 32, F32: 32 },
  ...{ U64: 64, I64: 64, F64: 64, C64: 64 },
};

/** Is a tensor as long as its shape says? One of a type that is newer than this program may be. */
function isAsLong({ dtype, shape, from, to }: TensorPlace): boolean {
  const bits = BITS[dtype];
  if (bits === undefined) return to >= from && /^[A-Z][A-Z0-9_]*$/.test(dtype);
  return shape.reduce((count, length) => count * length, bits) === (to - from) * 8;
}
