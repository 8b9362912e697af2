import { stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { ended, ifUnreadable } from '../caught.js';
import { inFile } from '../files/inFile.js';
import { openRegular } from '../files/regularFile.js';
import type { ConsoleReader, Memory } from '../trainers/console.js';
import { advanceProgress, beginProgress, type Progress, publicProgress } from './progress.js';
import { createRate } from './rate.js';

/** The most bytes of earlier output that are read. */
const TAIL = 1024 * 1024;

/**
 * The progress of a training by hand, from the files behind its stdout and stderr, or else from the first of `logs` that
 * tells a step: whoever reads its pipe may write there. Each call reads only new text. Null if none can be read, or all are empty.
 *
 * @param key identifies the process
 * @param pid null where its process is on another machine
 * @param reader reads its output
 * @param since ISO; older files are not its output
 */
export function readOutputOf(
  key: object,
  reader: ConsoleReader,
  { pid, since, logs }: { pid: number | null; since: string; logs: readonly string[] },
): Promise<Progress | null> {
  const fresh: Reading = {
    sources: new Map(),
    clock: createRate(),
    step: null,
    log: null,
    turn: Promise.resolve(null),
  };
  const reading = readings.get(key) ?? fresh;
  readings.set(key, reading);
  reading.turn = ended(reading.turn).then(() => readOn(reading, reader, [pid, Date.parse(since), logs]));
  return reading.turn;
}

type Source = { offset: number; decoder: StringDecoder; memory: Memory; writtenAt: number };
type Reading = {
  /** By device and inode: both streams may go to one file. */
  sources: Map<string, Source>;
  clock: ReturnType<typeof createRate>;
  /** As of the last look. */
  step: number | null;
  /** The one of `logs` that tells its steps. */
  log: string | null;
  turn: Promise<Progress | null>;
};
const readings = new WeakMap<object, Reading>();

async function readOn(
  reading: Reading,
  reader: ConsoleReader,
  [pid, since, logs]: [pid: number | null, since: number, logs: readonly string[]],
): Promise<Progress | null> {
  const filesBefore = reading.sources.size;
  const factsNow = () => reader.facts(reader.together([...reading.sources.values()].map(({ memory }) => memory)), null);
  for (const descriptor of pid === null ? [] : [1, 2])
    await readStream(reading, reader, `/proc/${pid}/fd/${descriptor}`, since);
  if (reading.log) await readStream(reading, reader, reading.log, since);
  for (const path of logs) {
    if (factsNow().step !== null) break;
    await readStream(reading, reader, path, since);
    if (factsNow().step !== null) reading.log = path;
  }
  const sources = [...reading.sources.values()];
  if (sources.length === 0) return null;
  const facts = factsNow();
  // A step that a file told when it was opened has no time of its own.
  const isOld = reading.step === facts.step || sources.length > filesBefore;
  if (facts.step !== null && !isOld) reading.clock.add(facts.step, performance.now());
  reading.step = facts.step;
  const now = new Date(Math.max(...sources.map(({ writtenAt }) => writtenAt)));
  const begun = beginProgress({ id: '', step: 0, stepOffset: 0, epoch: 0, epochs: null, before: null, now });
  return publicProgress(advanceProgress(begun, { facts, events: [] }, reading.clock, now));
}

async function readStream({ sources }: Reading, reader: ConsoleReader, path: string, since: number): Promise<void> {
  // Checked before it is opened: opening a terminal or a fifo has consequences.
  const there = await stat(path).catch(ifUnreadable(null, 'telemetry'));
  if (!there?.isFile()) return;
  const key = `${there.dev}:${there.ino}`;
  let source = sources.get(key);
  if (!source && (there.size === 0 || there.mtimeMs < since - 1000)) return;
  return inFile(openRegular(path).catch(ifUnreadable(null, 'telemetry')), async (file) => {
    if (!file) return;
    const { size, mtimeMs } = await file.stat();
    const isFirst = source === undefined;
    source ??= { offset: 0, decoder: new StringDecoder('utf8'), memory: null, writtenAt: mtimeMs };
    // The file was emptied to save space, or the reader is far behind.
    if (source.offset > size) source.offset = size;
    const from = Math.max(source.offset, size - TAIL);
    const block = Buffer.alloc(size - from);
    const { bytesRead } = await file.read(block, 0, block.length, from);
    const text = source.decoder.write(block.subarray(0, bytesRead));
    source.offset = from + bytesRead;
    source.writtenAt = mtimeMs;
    // A log in append mode holds earlier runs.
    source.memory = reader.read(source.memory, isFirst ? reader.newestRun(text) : text, '').memory;
    sources.set(key, source);
  });
}
