import { StringDecoder } from 'node:string_decoder';
import { readMasked } from '../security/maskedFile.js';
import { openLog } from './logTail.js';

const BLOCK = 256 * 1024;
/** For what is written while it is being read. */
const SPARE = 4096;

export type Piece = { inode: number; offset: number; text: string };

/**
 * Reads a file that grows in a session's folder, from a byte offset on, secrets masked: each call hands on what is new, piece
 * by piece, each with the offset at which it begins. `position()` is what is accounted for by then: `<inode>:<offset>`.
 */
export function readGrowing(path: string, begin: number) {
  let offset = begin;
  let inode = 0;
  const decoder = new StringDecoder('utf8');
  return {
    offset: () => offset,
    position: () => `${inode}:${offset}`,
    /** Answers whether the file is there. `hold` leaves the beginning of what may become a secret for the next call. */
    async readNew(take: (piece: Piece) => void, hold: () => boolean): Promise<boolean> {
      const file = await openLog(path);
      if (!file) return false;
      try {
        const { ino, size } = await file.stat();
        inode = ino;
        // Somebody emptied it, to save space: the trainer writes on from its new end.
        offset = Math.min(offset, size);
        const most = Math.min(BLOCK, size - offset + SPARE);
        for (;;) {
          // progress.json keeps the line that has not ended yet, and failures are told in the trainer's words.
          const block = await readMasked(file, offset, offset + most, { hold: hold() });
          if (block.length === 0) break;
          const text = decoder.write(block);
          const begun = offset;
          offset += block.length;
          take({ inode, offset: begun, text });
        }
        return true;
      } finally {
        await file.close();
      }
    },
  };
}

/** The offset of a position; null where there is none. */
export function offsetOf(position: string | null): number | null {
  const offset = Number(position?.split(':')[1]);
  return position && Number.isSafeInteger(offset) ? offset : null;
}
