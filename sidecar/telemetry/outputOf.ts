import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { ended, ifUnreadable } from '../caught.js';
import type { ConsoleReader, Memory } from '../trainers/dialect.js';
import { advanceProgress, beginProgress, type Progress, publicProgress } from './progress.js';
import { createRate } from './rate.js';

/** So much of what was printed before anybody looked is read. */
const TAIL = 1024 * 1024;

/**
 * How far a training is whose output Trackside did not arrange: read from the files that its stdout and stderr go to,
 * on each call what is new. Null where they go to a terminal or a pipe, may not be read, or hold nothing yet.
 *
 * @param key what the process is remembered by
 * @param reader reads what it prints
 * @param since ISO; a file that was not written since then holds nothing of it
 */
export function readOutputOf(key: object, reader: ConsoleReader, pid: number, since: string): Promise<Progress | null> {
  const reading = readings.get(key) ?? { sources: new Map(), clock: createRate(), turn: Promise.resolve(null) };
  readings.set(key, reading);
  reading.turn = ended(reading.turn).then(() => readOn(reading, reader, pid, Date.parse(since)));
  return reading.turn;
}

type Source = { offset: number; decoder: StringDecoder; memory: Memory; writtenAt: number };
type Reading = {
  /** By device and inode: both streams may go to one file. */
  sources: Map<string, Source>;
  clock: ReturnType<typeof createRate>;
  turn: Promise<Progress | null>;
};
const readings = new WeakMap<object, Reading>();

async function readOn(reading: Reading, reader: ConsoleReader, pid: number, since: number): Promise<Progress | null> {
  for (const descriptor of [1, 2]) await readStream(reading, reader, `/proc/${pid}/fd/${descriptor}`, since);
  const sources = [...reading.sources.values()];
  if (sources.length === 0) return null;
  const facts = reader.facts(reader.together(sources.map(({ memory }) => memory)), null);
  if (facts.step !== null) reading.clock.add(facts.step, performance.now());
  const now = new Date(Math.max(...sources.map(({ writtenAt }) => writtenAt)));
  const begun = beginProgress({ id: '', step: 0, epoch: 0, epochs: null, before: null, now });
  return publicProgress(advanceProgress(begun, facts, reading.clock.secondsPerStep(), now));
}

async function readStream({ sources }: Reading, reader: ConsoleReader, path: string, since: number): Promise<void> {
  // Looked at before it is opened: to open a terminal or a fifo is not without consequences.
  const there = await stat(path).catch(ifUnreadable(null, 'telemetry'));
  if (!there?.isFile()) return;
  const key = `${there.dev}:${there.ino}`;
  let source = sources.get(key);
  if (!source && (there.size === 0 || there.mtimeMs < since - 1000)) return;
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(ifUnreadable(null, 'telemetry'));
  if (!file) return;
  try {
    const { size, mtimeMs } = await file.stat();
    const isFirst = source === undefined;
    source ??= { offset: 0, decoder: new StringDecoder('utf8'), memory: null, writtenAt: mtimeMs };
    // Emptied meanwhile, to save space; or far behind.
    if (source.offset > size) source.offset = size;
    const from = Math.max(source.offset, size - TAIL);
    const block = Buffer.alloc(size - from);
    const { bytesRead } = await file.read(block, 0, block.length, from);
    const text = source.decoder.write(block.subarray(0, bytesRead));
    source.offset = from + bytesRead;
    source.writtenAt = mtimeMs;
    // A log that is appended to holds earlier runs.
    source.memory = reader.read(source.memory, isFirst ? reader.newestRun(text) : text, '').memory;
    sources.set(key, source);
  } finally {
    await file.close();
  }
}
