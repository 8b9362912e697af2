import { openRegular, streamRegular } from '../files/regularFile.js';

const SCAN = 0xda;
/** Cameras write some twenty. A file of a million fill bytes is searched from where this many end. */
const MOST_SEGMENTS = 1000;
const END = Buffer.from([0xff, 0xd9]);

/**
 * Is there an end marker after the first scan? Pillow refuses a JPEG without one, as a copy that was broken off and filled
 * with zeros; libvips takes it. What follows the marker, as the film of a motion photo, does not matter (ITU T.81 B.1.1).
 */
export async function hasJpegEnd(path: string): Promise<boolean> {
  let last = 0;
  for await (const block of streamRegular(path, await firstScan(path))) {
    if ((last === END[0] && block[0] === END[1]) || block.includes(END)) return true;
    last = block.at(-1) ?? 0;
  }
  return false;
}

/** Where the first scan begins. The segments before it may hold a preview with an end of its own. */
async function firstScan(path: string): Promise<number> {
  const file = await openRegular(path);
  try {
    const head = Buffer.alloc(4);
    let at = 2;
    for (let segment = 0; segment < MOST_SEGMENTS; segment += 1) {
      const { bytesRead } = await file.read(head, 0, 4, at);
      if (bytesRead < 4 || head[0] !== 0xff || head[1] === SCAN) break;
      at += head[1] === 0xff ? 1 : 2 + Math.max(2, head.readUInt16BE(2));
    }
    return at;
  } finally {
    await file.close();
  }
}
