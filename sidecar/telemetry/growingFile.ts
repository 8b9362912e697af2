import { StringDecoder } from 'node:string_decoder';
import { inFile } from '../files/inFile.js';
import { readMasked } from '../security/maskedFile.js';
import type { openLog } from './logTail.js';

/** Bytes between two pauses for the event loop, also where they are nothing but line ends. */
const BLOCK = 64 * 1024;
/** Bytes for text that arrives during a read. */
const SPARE = 4096;
/**
 * Bytes, some 600,000 redraws of a bar. What lies before, in a log that nobody followed, would take seconds: its end tells
 * where the training stands.
 */
const FURTHEST_BEHIND = 64 * 1024 * 1024;

export type Piece = { inode: number; offset: number; text: string };

/**
 * Reads a growing file in a session's folder from a byte offset on, with secrets masked. Each call passes on the new
 * text in pieces, each with its offset. `position()`, `<inode>:<offset>`, is the end of the text so far.
 *
 * @param open opens it, or says with null that there is none
 */
export function readGrowing(path: string, begin: number, open: typeof openLog) {
  let offset = begin;
  let inode = 0;
  const decoder = new StringDecoder('utf8');
  return {
    offset: () => offset,
    position: () => `${inode}:${offset}`,
    /** False if there is no file. `hold` leaves the possible beginning of a secret for the next call. */
    async readNew(take: (piece: Piece) => void, hold: () => boolean): Promise<boolean> {
      return inFile(open(path), async (file) => {
        if (!file) return false;
        const { ino, size } = await file.stat();
        inode = ino;
        // A person emptied it to save space: the trainer continues at its new end.
        offset = Math.max(Math.min(offset, size), size - FURTHEST_BEHIND);
        const most = Math.min(BLOCK, size - offset + SPARE);
        for (;;) {
          // Masked, because progress.json keeps the unfinished line, and failures quote the trainer.
          const block = await readMasked(file, offset, offset + most, { hold: hold() });
          if (block.length === 0) break;
          const text = decoder.write(block);
          const begun = offset;
          offset += block.length;
          take({ inode, offset: begun, text });
        }
        return true;
      });
    },
  };
}

/** The offset of a position; null without one. */
export function offsetOf(position: string | null): number | null {
  const offset = Number(position?.split(':')[1]);
  return position && Number.isSafeInteger(offset) ? offset : null;
}
