import { Lru } from '../../files/lru.js';
import type { LogRow, RowsPiece } from './logFacts.js';
import { type LogOfSession, readLogRows } from './logRows.js';

/** The last lines, for a page that knows none. */
export const TAIL_LINES = 500;
/** Of one piece. */
const MOST_ROWS = 1000;
/** A reader further behind than this gets the tail instead. Lines. */
const FAR_BEHIND = 5000;

type Place = readonly [inode: number, line: number];
type Step = { place: Place; piece: RowsPiece | null };

/** Twenty pages on one log are at the same place: one read serves them all. */
const reads = new Lru<{ at: number; step: Promise<Step> }>(16);

/**
 * Reads a log row by row from a position (`<inode>:<last line>`) on, for one page. `session` is asked for its present facts.
 * `since` as in `createLogReader`.
 */
export function createRowReader(session: () => Promise<LogOfSession>, position: string | undefined) {
  const found = /^(\d+):(\d+)$/.exec(position ?? '');
  let place: Place = found ? [Number(found[1]), Number(found[2])] : [-1, 0];
  /** The unfinished line, as it was sent. */
  let last: LogRow | undefined;
  return async (since = performance.now()): Promise<RowsPiece | null> => {
    const { folder, ...rest } = await session();
    const key = `${place.join(':')} ${folder}`;
    const known = reads.get(key);
    const step = known && known.at > since ? known.step : readOn({ folder, ...rest }, place);
    if (known?.step !== step) reads.set(key, { at: performance.now(), step });
    const { place: reached, piece } = await step;
    place = reached;
    const [first, second] = piece?.rows ?? [];
    const isSame = !piece?.reset && !second && first?.n === last?.n && first?.text === last?.text;
    last = piece?.rows.at(-1) ?? last;
    return isSame ? null : piece;
  };
}

async function readOn(session: LogOfSession, [inode, line]: Place): Promise<Step> {
  const read = await readLogRows(session, Math.max(1, line), MOST_ROWS);
  const [newInode = 0] = read.position.split(':').map(Number);
  const isOther = newInode !== inode || read.total < line || read.total - line > FAR_BEHIND;
  const { total, position, rows } = isOther ? await readLogRows(session, -TAIL_LINES, TAIL_LINES) : read;
  if (rows.length === 0) return { place: isOther ? [newInode, 0] : [inode, line], piece: null };
  const reached = rows.at(-1)?.n ?? line;
  const piece = { position: position.replace(/(?<!\d)\d+$/, String(reached)), total, rows };
  return { place: [newInode, reached], piece: isOther ? { ...piece, reset: true } : piece };
}
