import type { Source } from './source.js';

/** A stretch of the source, or bytes of our own. */
export type Piece = { from: number; to: number } | Buffer;

/**
 * What a picture carries beside its pixels: its orientation (1 to 8), what is private in words, and the pieces that make
 * up the same picture without it. `pieces` is only whole where the file was read to its end.
 */
export type Dissected = { orientation: number; found: string[]; pieces: Piece[] };

/** Adds a stretch to the pieces, as one with the stretch before where they touch. */
export function keep(pieces: Piece[], from: number, to: number): void {
  const last = pieces.at(-1);
  if (last && !Buffer.isBuffer(last) && last.to === from) last.to = to;
  else pieces.push({ from, to });
}

/** How many bytes they have together. */
export function bytesIn(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, each) => sum + (Buffer.isBuffer(each) ? each.length : each.to - each.from), 0);
}

/** Do the pieces make up the very file that they were taken from? */
export async function isWhole(source: Source, pieces: readonly Piece[]): Promise<boolean> {
  let at = 0;
  for (const piece of pieces) {
    if (!Buffer.isBuffer(piece)) {
      if (piece.from !== at) return false;
      at = piece.to;
      continue;
    }
    if (!(await source.read(at, piece.length)).equals(piece)) return false;
    at += piece.length;
  }
  return at === source.bytes;
}

/** The bytes of the pieces, a block at a time. */
export async function* bytesOf(source: Source, pieces: readonly Piece[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    if (Buffer.isBuffer(piece)) {
      yield piece;
      continue;
    }
    for (let at = piece.from; at < piece.to; ) {
      const block = await source.read(at, Math.min(BLOCK, piece.to - at));
      if (block.length === 0) throw new Error('it ends too early');
      at += block.length;
      yield block;
    }
  }
}

const BLOCK = 256 * 1024;

/** Is this the beginning of a colour profile (ICC.1:2022 section 7.2), and not something else in its place? */
export function isProfile(bytes: Buffer): boolean {
  return bytes.toString('latin1', 36, 40) === 'acsp';
}
