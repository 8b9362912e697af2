import { stripVTControlCharacters } from 'node:util';
import { inFile } from '../files/inFile.js';
import { Lru } from '../files/lru.js';
import { readMasked } from '../security/maskedFile.js';
import { openLog, readLogTail } from './logTail.js';

const BLOCK = 64 * 1024;
/** A reader further behind than this gets the tail instead of all the missed text. */
const FAR_BEHIND = 512 * 1024;

export type LogPiece = { position: string; text: string; reset?: true };

/**
 * Reads a log from a position (`<inode>:<byte offset>`) on, a piece at a time, for one reader, with secrets masked, and
 * without colours and cursor movements. For a position of another file, or far behind, the first piece is the tail,
 * marked `reset`. `since` (`performance.now()`): a piece that another reader at the same place got later than that is
 * reused.
 */
export function createLogReader(path: string, position: string | undefined, tailLines: number) {
  let place = readPosition(position);
  return async (since = performance.now()): Promise<LogPiece | null> => {
    const step = await readOnce(path, place, tailLines, since);
    place = step.place;
    return step.piece;
  };
}

type Place = readonly [inode: number, offset: number];
type Step = { place: Place; piece: LogPiece | null };

/** Two hundred pages on one log are at the same place: one read serves them all. */
const reads = new Lru<{ at: number; step: Promise<Step> }>(16);

function readOnce(path: string, place: Place, tailLines: number, since: number): Promise<Step> {
  const key = `${place.join(':')} ${tailLines} ${path}`;
  const known = reads.get(key);
  if (known && known.at > since) return known.step;
  const step = readOn(path, place, tailLines);
  reads.set(key, { at: performance.now(), step });
  return step;
}

async function readOn(path: string, place: Place, tailLines: number): Promise<Step> {
  const [inode, offset] = place;
  return inFile(openLog(path), async (file) => {
    if (!file) return { place, piece: null };
    const { ino, size } = await file.stat();
    if (inode !== ino || offset > size || size - offset > FAR_BEHIND) {
      const tail = await readLogTail(path, tailLines);
      const piece: LogPiece = { position: `${tail.inode}:${tail.offset}`, text: tail.text, reset: true };
      return { place: [tail.inode, tail.offset], piece };
    }
    const read = await readMasked(file, offset, Math.min(offset + BLOCK, size), { hold: true });
    const block = read.subarray(0, wholeCharacters(read));
    if (block.length === 0) return { place, piece: null };
    const end = offset + block.length;
    return {
      place: [ino, end],
      piece: { position: `${ino}:${end}`, text: stripVTControlCharacters(block.toString('utf8')) },
    };
  });
}

/** The number of bytes before an unfinished character at the end. */
function wholeCharacters(block: Buffer): number {
  for (let at = block.length - 1; at >= Math.max(0, block.length - 4); at -= 1) {
    const byte = block[at] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return at + length > block.length ? at : block.length;
  }
  return block.length;
}

function readPosition(position: string | undefined): Place {
  const found = /^(\d+):(\d+)$/.exec(position ?? '');
  return found ? [Number(found[1]), Number(found[2])] : [-1, 0];
}
