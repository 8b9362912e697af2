import { streamRegular } from '../files/regularFile.js';

const [MARK, END, SCAN] = [0xff, 0xd9, 0xda];
/** The mark at the very beginning. */
const BEGINNING = 2;

/**
 * What is wrong with the data of a JPEG, in words, or null: no end, as of a copy that was broken off and filled with zeros, or
 * a marker that none may be (ITU T.81, table B.1), as where something else was written over it. libvips stops after the last
 * row and sees neither; Pillow reads on to the end, and refuses both. What follows the end, as the film of a motion photo, does
 * not matter, nor a preview with an end of its own in a segment.
 */
export async function whatIsWrongInJpeg(path: string): Promise<string | null> {
  let marked = false;
  let scans = 0;
  /** Bytes of a segment that are still to be skipped; its length, byte by byte. */
  let skip = 0;
  let length: number[] | null = null;
  for await (const block of streamRegular(path, BEGINNING)) {
    let at = 0;
    while (at < block.length) {
      if (length) {
        length.push(block[at++] as number);
        const [high = 0, low] = length;
        if (low === undefined) continue;
        skip = Math.max(0, high * 256 + low - 2);
        length = null;
      } else if (skip > 0) {
        const here = Math.min(skip, block.length - at);
        skip -= here;
        at += here;
      } else if (marked) {
        const marker = block[at++] as number;
        if (marker === END && scans > 0) return null;
        marked = marker === MARK;
        if (marked || standsAlone(marker)) continue;
        if (scans > 0 && !beginsSegment(marker)) return 'it is overwritten in the middle';
        if (marker === SCAN) scans += 1;
        length = [];
      } else {
        const next = block.indexOf(MARK, at);
        at = next < 0 ? block.length : next + 1;
        marked = next >= 0;
      }
    }
  }
  return 'its end is missing';
}

/** A stuffed zero, a restart or a temporary mark: no segment follows. */
function standsAlone(marker: number): boolean {
  return marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd7);
}

/** Tables, a scan, or what applications and people noted. */
function beginsSegment(marker: number): boolean {
  return [0xc4, 0xcc, SCAN, 0xdb, 0xdc, 0xdd, 0xfe].includes(marker) || (marker >= 0xe0 && marker <= 0xef);
}
