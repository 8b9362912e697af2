import { ended } from '../../caught.js';
import { Lru } from '../../files/lru.js';
import { addPoint, newSeries, type RunSeries, type Series } from '../series.js';
import { eventScalars } from './eventRecord.js';
import { eachRecord, type ScalarOffsets, scalarName } from './scalars.js';

type Kept = {
  begunAt: number | null;
  curves: Map<string, Series>;
  offsets: ScalarOffsets;
  reading: Promise<void>;
  points: number;
};

/** By folder, together at most so many points: some 24 bytes each. */
const known = new Lru<Kept>(4_000_000);

/** All curves of an event folder. They are kept, and each call reads only new records. */
export function readSeries(folder: string): Promise<RunSeries> {
  const kept = known.get(folder) ?? newKept();
  // One call after the other: two at once would add the same points twice.
  kept.reading = ended(kept.reading).then(() => readOn(folder, kept));
  known.set(folder, kept, Math.max(1, kept.points));
  return kept.reading.then(() => kept);
}

function newKept(): Kept {
  return { begunAt: null, curves: new Map(), offsets: {}, reading: Promise.resolve(), points: 0 };
}

async function readOn(folder: string, kept: Kept): Promise<void> {
  let file = '';
  let byTag = new Map<string, Series>();
  const take = (tag: string, step: number, value: number, time: number) => {
    let series = byTag.get(tag);
    if (!series) {
      const name = scalarName(file, tag);
      series = kept.curves.get(name) ?? newSeries();
      kept.curves.set(name, series);
      byTag.set(tag, series);
    }
    kept.begunAt ??= time;
    kept.points += 1;
    addPoint(series, step, value, time);
  };
  kept.offsets = await eachRecord(folder, kept.offsets, (path, bytes, from, to) => {
    if (path !== file) {
      file = path;
      byTag = new Map();
    }
    if (takePlain(bytes, from, to, take)) return;
    for (const { tag, step, value, wallTime } of eventScalars(bytes.subarray(from, to)))
      take(tag, step, value, wallTime);
  });
  known.set(folder, kept, Math.max(1, kept.points));
}

/** Tags in the order in which they came. A trainer writes the same few again and again: the next one is mostly the next. */
const tags: { bytes: Buffer; text: string }[] = [];
const MOST_TAGS = 64;
let lastTag = 0;

/** The tag of an event, as a text that is not made anew. */
function tagIn(bytes: Buffer, from: number, to: number): string {
  for (let tried = 1; tried <= tags.length; tried += 1) {
    const at = (lastTag + tried) % tags.length;
    const tag = tags[at];
    if (tag === undefined || tag.bytes.length !== to - from || tag.bytes.compare(bytes, from, to) !== 0) continue;
    lastTag = at;
    return tag.text;
  }
  const text = bytes.toString('utf8', from, to);
  if (tags.length === MOST_TAGS) tags.length = 0;
  lastTag = tags.push({ bytes: Buffer.from(bytes.subarray(from, to)), text }) - 1;
  return text;
}

type Take = (tag: string, step: number, value: number, time: number) => void;

/**
 * An event as torch and tensorboardX write almost all of them, ten times as quick as field by field: the time, the step, and a
 * summary of one value with its tag and a float (see eventRecord.ts). False for any other.
 */
function takePlain(bytes: Buffer, from: number, to: number, take: Take): boolean {
  if (to - from < 22 || bytes[from] !== 0x09 || bytes[from + 9] !== 0x10) return false;
  let at = from + 10;
  let step = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++] as number;
    step += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    // Beyond: negative, or damage.
    if (scale > 2 ** 40) return false;
  }
  const tagLength = bytes[at + 5] as number;
  const isPlain =
    bytes[at] === 0x2a &&
    at + 2 + (bytes[at + 1] as number) === to &&
    bytes[at + 2] === 0x0a &&
    at + 4 + (bytes[at + 3] as number) === to &&
    bytes[at + 4] === 0x0a &&
    tagLength < 0x80 &&
    at + 11 + tagLength === to &&
    bytes[at + 6 + tagLength] === 0x15;
  if (!isPlain) return false;
  take(
    tagIn(bytes, at + 6, at + 6 + tagLength),
    step,
    bytes.readFloatLE(at + 7 + tagLength),
    bytes.readDoubleLE(from + 1),
  );
  return true;
}
