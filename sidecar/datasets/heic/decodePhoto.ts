import libheif, { type Libheif } from 'libheif-js/libheif-wasm/libheif-bundle.mjs';
import { PictureProblem } from '../pictureProblem.js';
import { AS_JPEG, LARGEST_SIDE, MOST_MEMORY } from './limits.js';
import { tiffOf } from './tiff.js';

/** Values of libheif's C interface, 1.23 (api/libheif/heif_error.h, heif_image.h, heif_decoding.h). */
const RGB = 1;
const INTERLEAVED_RGB = 10;
const INTERLEAVED = 10;
/** Of the file, of a part of it, and a decoder that is not there: an AVIF looks like a HEIC from outside. */
const UNSUPPORTED = [3, 4, 11];
const SECURITY_LIMIT = 1000;
/** Places in `heif_decoding_options`. */
const [TO_8_BIT, STRICT] = [20, 21];
const WORD = 4;

/**
 * Decodes the main picture of a HEIC file, upright: rotated, mirrored and cropped as its container says (irot, imir, clap),
 * which is what counts; the orientation of its EXIF repeats that, or is wrong. Returns a TIFF of 8-bit RGB with the colour
 * profile of the photo, without transparency. Throws a PictureProblem. For one photo in a process: nothing is given back.
 */
export function decodePhoto(file: Uint8Array): Buffer {
  limitMemory();
  const heif = libheif();
  const context = heif._heif_context_alloc();
  heif._heif_context_set_maximum_image_size_limit(context, LARGEST_SIDE);
  const at = heif._malloc(file.length);
  heif.HEAPU8.set(file, at);
  ask(heif, (error) => heif._heif_context_read_from_memory_without_copy(error, context, at, file.length, 0));
  const handle = answer(heif, (error, place) => heif._heif_context_get_primary_image_handle(error, context, place));
  if (heif._heif_image_handle_get_ispe_width(handle) * heif._heif_image_handle_get_ispe_height(handle) > MOST_PIXELS)
    throw tooManyPixels();
  const options = heif._heif_decoding_options_alloc();
  heif.HEAPU8[options + TO_8_BIT] = 1;
  heif.HEAPU8[options + STRICT] = 1;
  const image = answer(heif, (error, place) =>
    heif._heif_decode_image(error, handle, place, RGB, INTERLEAVED_RGB, options),
  );
  const stridePlace = heif._malloc(WORD);
  const plane = heif._heif_image_get_plane_readonly2(image, INTERLEAVED, stridePlace);
  return tiffOf(
    heif.HEAPU8.subarray(plane),
    heif._heif_image_get_width(image, INTERLEAVED),
    heif._heif_image_get_height(image, INTERLEAVED),
    wordAt(heif, stridePlace),
    profileOf(heif, handle),
  );
}

const MOST_PIXELS = LARGEST_SIDE ** 2;

/** By itself the decoder takes up to 2 GB. */
function limitMemory(): void {
  const { prototype } = WebAssembly.Memory;
  const { grow } = prototype;
  prototype.grow = function (this: WebAssembly.Memory, pages) {
    if (this.buffer.byteLength + pages * 65_536 > MOST_MEMORY)
      throw new RangeError('The decoder needs too much memory.');
    return grow.call(this, pages);
  };
}

function profileOf(heif: Libheif, handle: number): Uint8Array {
  const bytes = heif._heif_image_handle_get_raw_color_profile_size(handle);
  if (bytes === 0) return new Uint8Array();
  const at = heif._malloc(bytes);
  ask(heif, (error) => heif._heif_image_handle_get_raw_color_profile(error, handle, at));
  return heif.HEAPU8.slice(at, at + bytes);
}

/** Calls a function that puts its result, a pointer, in a place. */
function answer(heif: Libheif, call: (error: number, place: number) => void): number {
  const place = heif._malloc(WORD);
  ask(heif, (error) => call(error, place));
  return wordAt(heif, place);
}

/** Calls a function that returns a `heif_error`: a code, a code of details, and a text. Throws a PictureProblem. */
function ask(heif: Libheif, call: (error: number) => void): void {
  const error = heif._malloc(3 * WORD);
  call(error);
  const code = wordAt(heif, error);
  const detail = wordAt(heif, error + WORD);
  if (code === 0) return;
  if (detail === SECURITY_LIMIT) throw tooManyPixels();
  if (UNSUPPORTED.includes(code))
    throw new PictureProblem("It is of a kind that can't be read, such as an AVIF picture.", AS_JPEG);
  throw new PictureProblem('The photo is damaged or cut off.', 'Send it again, or export it as JPEG and upload that.');
}

function tooManyPixels(): PictureProblem {
  return new PictureProblem(
    `It has more than ${Math.floor(MOST_PIXELS / 1_000_000)} million pixels, the most that a HEIC photo may have.`,
    AS_JPEG,
  );
}

function wordAt({ HEAPU8 }: Libheif, at: number): number {
  return new DataView(HEAPU8.buffer).getUint32(at, true);
}
