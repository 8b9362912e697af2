import { StringDecoder } from 'node:string_decoder';
import { readMasked } from '../security/maskedFile.js';
import { openLog, readLogTail } from './logTail.js';

const BLOCK = 64 * 1024;
/** Who is further behind than this gets the tail instead of all that was missed. */
const FAR_BEHIND = 512 * 1024;

export type LogPiece = { position: string; text: string; reset?: true };

/**
 * Reads a log onwards from a position (`<inode>:<byte offset>`), a piece at a time, for one reader; secrets are masked. Where the position
 * is none of this file's, or far behind, the first piece is the tail, marked `reset`.
 */
export function createLogReader(path: string, position: string | undefined, tailLines: number) {
  let [inode, offset] = readPosition(position);
  let decoder = new StringDecoder('utf8');
  return async (): Promise<LogPiece | null> => {
    const file = await openLog(path);
    if (!file) return null;
    try {
      const { ino, size } = await file.stat();
      if (inode !== ino || offset > size || size - offset > FAR_BEHIND) {
        const tail = await readLogTail(path, tailLines);
        inode = tail.inode;
        offset = tail.offset;
        decoder = new StringDecoder('utf8');
        return { position: `${inode}:${offset}`, text: tail.text, reset: true };
      }
      const block = await readMasked(file, offset, Math.min(offset + BLOCK, size), { hold: true });
      if (block.length === 0) return null;
      offset += block.length;
      return { position: `${inode}:${offset}`, text: decoder.write(block) };
    } finally {
      await file.close();
    }
  };
}

function readPosition(position: string | undefined): [number, number] {
  const found = /^(\d+):(\d+)$/.exec(position ?? '');
  return found ? [Number(found[1]), Number(found[2])] : [-1, 0];
}
