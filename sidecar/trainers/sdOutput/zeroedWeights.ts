import type { FileHandle } from 'node:fs/promises';
import { inFile } from '../../files/inFile.js';
import { openRegular } from '../../files/regularFile.js';
import { readSafetensors, type TensorPlace } from '../../files/safetensors.js';

/** The unit that a power cut loses: a page that was never written reads as zeros. */
const PAGE = 4096;
const ZEROS = Buffer.alloc(PAGE);
const BLOCK = 1024 * PAGE;

/**
 * Looks for zeros where a trained LoRA has none. A weights file has no checksum, and after a power cut it may have its
 * full length and a good header, but pages of zeros after it, which a resume would train on. Returns the fault in words
 * that follow the file's name, or null. Reads the whole file.
 *
 * A tensor of zeros is no proof: an untrained one (`lora_up` begins as zeros) looks the same.
 */
export async function whatIsZeroed(path: string): Promise<string | null> {
  const header = await readSafetensors(path);
  if (typeof header === 'string') return header;
  return inFile(openRegular(path), async (file) => {
    for await (const [from, to] of zeroRuns(file, header.bytes)) {
      for (const place of header.places) {
        if (place.from >= to || place.to <= from) continue;
        if (neverZero(place) || !(await isZero(file, place))) return 'holds zeros in place of weights';
      }
    }
    return (await endsZeroed(file, header.places)) ? 'ends in zeros in place of weights' : null;
  });
}

/** Runs of whole pages of zeros: [from, to) in bytes. */
async function* zeroRuns(file: FileHandle, size: number): AsyncGenerator<[number, number]> {
  const block = Buffer.allocUnsafe(BLOCK);
  let begun: number | null = null;
  for (let at = 0; at < size; at += BLOCK) {
    const { bytesRead } = await file.read(block, 0, BLOCK, at);
    for (let page = 0; page < bytesRead; page += PAGE) {
      const content = block.subarray(page, Math.min(page + PAGE, bytesRead));
      const zero = content.equals(content.length === PAGE ? ZEROS : ZEROS.subarray(0, content.length));
      if (zero) begun ??= at + page;
      else if (begun !== null) {
        yield [begun, at + page];
        begun = null;
      }
    }
  }
  if (begun !== null) yield [begun, size];
}

/** The parts of a LoRA that are never zero: its scale, and the half that begins as random numbers. */
function neverZero({ name }: TensorPlace): boolean {
  return /\.(?:alpha|lora_down\.weight|lora_A\.weight)$/.test(name);
}

/** A tail of zeros shorter than a page shows in the last numbers: trained ones are neither zero nor that small. */
async function endsZeroed(file: FileHandle, places: readonly TensorPlace[]): Promise<boolean> {
  const filled = places.filter((place) => place.to > place.from);
  const zeroed: TensorPlace[] = [];
  for (const place of filled.reverse()) {
    if (!(await isZero(file, place))) {
      if (place.dtype === 'F32' && (await isTiny(file, place))) return true;
      break;
    }
    if (neverZero(place)) return true;
    zeroed.push(place);
  }
  // If untrained, the last number is not the only zero.
  const last = zeroed[0];
  if (!last) return false;
  for (const other of filled) {
    if (kindOf(other) === kindOf(last) && !zeroed.includes(other) && !(await isZero(file, other))) return true;
  }
  return false;
}

async function isTiny(file: FileHandle, { to }: TensorPlace): Promise<boolean> {
  const number = Buffer.alloc(4);
  await file.read(number, 0, 4, to - 4);
  return Math.abs(number.readFloatLE()) < 1e-30;
}

/** "lora_up.weight" */
function kindOf({ name }: TensorPlace): string {
  return name.split('.').slice(-2).join('.');
}

async function isZero(file: FileHandle, { from, to }: TensorPlace): Promise<boolean> {
  const block = Buffer.allocUnsafe(PAGE);
  for (let at = from; at < to; at += PAGE) {
    const { bytesRead } = await file.read(block, 0, Math.min(PAGE, to - at), at);
    if (!block.subarray(0, bytesRead).equals(ZEROS.subarray(0, bytesRead))) return false;
  }
  return true;
}
