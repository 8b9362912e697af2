import { stripVTControlCharacters } from 'node:util';
import type { ConsoleEvent } from '../console.js';
import type { Phase } from '../phase.js';
import { type ExactState, NOTHING_SAID, readExactLine } from './exactLines.js';
import { beginRecord, continueRecord, type RichRecord } from './richLines.js';

/** The state of a trainer's console so far. Plain JSON in progress.json, from where the next sidecar continues. */
export type ConsoleState = ExactState & {
  phase: Phase;
  /** The bar, counted from the last resume. */
  step: number | null;
  total: number | null;
  /** `avr_loss`, the trainer's running mean. */
  loss: number | 'nan' | null;
  /** Absolute. */
  epoch: number | null;
  epochs: number | null;
  /** "num train images * repeats" */
  imagesWithRepeats: number | null;
  batchesPerEpoch: number | null;
  accumulation: number | null;
  /** "total optimization steps": of the whole training, not of its rest. */
  totalSteps: number | null;
  /** The state folder that is being written, from "Saving current state to" until "Random states saved in". */
  savingState: string | null;
  lastStateSaved: string | null;
  /** The newest weights file, perhaps unfinished. */
  lastCheckpoint: string | null;
  resumedFrom: string | null;
  /** "model saved.": the trainer has done everything. */
  finished: boolean;
  /** The unfinished line, and the log record that may continue in the next line. */
  carry: string;
  record: RichRecord | null;
};

/** The empty console of a new attempt. */
export function startConsole(): ConsoleState {
  return {
    phase: 'starting',
    step: null,
    total: null,
    loss: null,
    epoch: null,
    epochs: null,
    imagesWithRepeats: null,
    batchesPerEpoch: null,
    accumulation: null,
    totalSteps: null,
    savingState: null,
    lastStateSaved: null,
    lastCheckpoint: null,
    resumedFrom: null,
    finished: false,
    carry: '',
    record: null,
    ...NOTHING_SAID,
  };
}

/** No meaningful line is longer; the rest of a line is dropped. */
const LONGEST_LINE = 8192;

/**
 * Reads what sd-scripts prints (stdout and stderr, mixed), piece by piece: any cutting into chunks gives the same state
 * and the same events. Lines end with a newline or a carriage return; a bar counts as soon as its `]` is there.
 */
export function readConsole(state: ConsoleState, chunk: string): { state: ConsoleState; events: ConsoleEvent[] } {
  const reader: Reader = { state: { ...state }, events: [] };
  const lines = (state.carry + chunk).split(/[\r\n]/);
  const unfinished = lines.pop() ?? '';
  for (const line of lines) readLine(reader, stripVTControlCharacters(line.slice(0, LONGEST_LINE)));
  reader.state.carry = unfinished.slice(0, LONGEST_LINE);
  readBar(reader, stripVTControlCharacters(reader.state.carry));
  return reader;
}

type Reader = { state: ConsoleState; events: ConsoleEvent[] };

function readLine(reader: Reader, line: string): void {
  const { state } = reader;
  const afterBar = readBar(reader, line);
  // A log record may follow the bar on the same line.
  const rest = afterBar ?? line;
  const longer = state.record && continueRecord(state.record, rest);
  if (!longer) endRecord(reader);
  state.record = longer ?? beginRecord(rest);
  if (!state.record) readMessage(reader, rest.trim());
  else if (readableAtOnce(state.record)) takeRecord(reader, state.record);
}

function endRecord(reader: Reader): void {
  const { record } = reader.state;
  if (record) takeRecord(reader, record);
  reader.state.record = null;
}

function takeRecord(reader: Reader, record: RichRecord): void {
  if (!record.taken) readMessage(reader, record.text);
  reader.state.record = { ...record, taken: true };
}

/** tqdm's bar, which it leaves out in a window that tells no width (`ncols=0`). */
const BAR =
  /^steps:\s+\d+%(?:\|[^|]*\|)?\s*(\d{1,15})\/(\d{1,15}) \[[\d:]+<[\d:?]+,\s*(?:\?|[\d.]+)\s*(?:it\/s|s\/it)(?:,([^\]]*))?\]/i;

/** Reads the main bar and returns the rest of its line; null if the line does not begin with one. */
function readBar(reader: Reader, line: string): string | null {
  const found = /^steps:/i.test(line) ? BAR.exec(line) : null;
  if (!found) return null;
  endRecord(reader);
  const { state, events } = reader;
  const step = Number(found[1]);
  const total = Number(found[2]);
  const loss = readLoss(found[3]) ?? state.loss;
  const changed = step !== state.step || total !== state.total || loss !== state.loss;
  Object.assign(state, { step, total, loss });
  if (!['finishing', 'ended'].includes(state.phase)) enter(reader, 'training');
  if (changed) events.push({ type: 'step', step, total, loss });
  return line.slice(found[0].length);
}

function readLoss(postfix: string | undefined): number | 'nan' | null {
  // "loss" by itself before 2023, and in trainers that sd-scripts came from.
  const text = (/avr_loss=([^,\s]+)/.exec(postfix ?? '') ?? /(?:^|[,\s])loss=([^,\s]+)/.exec(postfix ?? ''))?.[1];
  if (text === undefined) return null;
  return Number.isFinite(Number(text)) ? Number(text) : 'nan';
}

type Meaning = [pattern: RegExp, apply: (reader: Reader, value: string) => void];

const MEANINGS: Meaning[] = [
  [/^epoch (\d{1,15}\/\d{1,15})$/, readEpoch],
  [/^saving checkpoint: (.+)$/, beginCheckpoint],
  [/^Saving current state to (.+)$/, beginState],
  [/^Random states saved in (.+)[/\\]random_states_\d+\.pkl$/, endState],
  [/^saving last state\.?$/, (reader) => enter(reader, 'finishing')],
  [/^generating sample images/, beginSampling],
  [/^model saved\.$/, finish],
  [/^resume training from local state: (.+)$/, resumed],
  [/^caching (?:latents|text encoder outputs)/i, (reader) => enterBeforeTraining(reader, 'caching latents')],
  [
    /^(?:Loading dataset config|prepare images|preparing accelerator|loading model|load |create LoRA|import network)/,
    loading,
  ],
  [/^trackside: (.+)$/, readOwn],
  [/^num train images \* repeats.*: (\d{1,15})$/, count('imagesWithRepeats')],
  [/^num batches per epoch.*: (\d{1,15})$/, count('batchesPerEpoch')],
  [/^num epochs.*: (\d{1,15})$/, count('epochs')],
  [/^gradient accumulation steps.*= (\d{1,15})$/, count('accumulation')],
  [/^total optimization steps.*: (\d{1,15})$/, beginHashing],
];

/** Characters: `load x`. A log may have a million lines of less. */
const SHORTEST_MESSAGE = 6;

function readMessage(reader: Reader, message: string): void {
  if (message.length < SHORTEST_MESSAGE) return;
  for (const [pattern, apply] of MEANINGS) {
    const found = pattern.exec(message);
    if (!found) continue;
    apply(reader, found[1] ?? '');
    return;
  }
}

function count(name: 'imagesWithRepeats' | 'batchesPerEpoch' | 'epochs' | 'accumulation') {
  return ({ state }: Reader, value: string): void => {
    state[name] = Number(value);
  };
}

/** A record with a certain end does not wait for the next line: that may be a long step away. */
function readableAtOnce({ text, full }: RichRecord): boolean {
  if (/^(?:Random states saved in .+\.pkl|model saved\.)$/.test(text)) return true;
  if (/^(?:generating sample images|caching |loading model)/.test(text)) return true;
  return !full && /^Saving current state to .+-state$/.test(text);
}

function readOwn(reader: Reader, message: string): void {
  const read = readExactLine(message);
  if (!read) return;
  Object.assign(reader.state, read.change);
  if (read.event) reader.events.push(read.event);
}

function readEpoch(reader: Reader, value: string): void {
  const { state, events } = reader;
  const [epoch = 0, epochs = 0] = value.split('/').map(Number);
  if (state.phase === 'saving' || state.phase === 'sampling') enter(reader, 'training');
  Object.assign(state, { epoch, epochs });
  events.push({ type: 'epoch', epoch, epochs });
}

function beginCheckpoint(reader: Reader, path: string): void {
  reader.state.lastCheckpoint = path;
  if (reader.state.phase !== 'finishing') enter(reader, 'saving');
  reader.events.push({ type: 'checkpoint', path });
}

function beginState(reader: Reader, path: string): void {
  reader.state.savingState = path;
  if (reader.state.phase !== 'finishing') enter(reader, 'saving');
  reader.events.push({ type: 'state-begun', path });
}

function endState({ state, events }: Reader, path: string): void {
  Object.assign(state, { savingState: null, lastStateSaved: path });
  events.push({ type: 'state-saved', path });
}

function beginSampling(reader: Reader): void {
  enter(reader, 'sampling');
  reader.events.push({ type: 'sampling' });
}

function finish(reader: Reader): void {
  reader.state.finished = true;
  enter(reader, 'ended');
  reader.events.push({ type: 'finished' });
}

function resumed({ state, events }: Reader, path: string): void {
  state.resumedFrom = path;
  events.push({ type: 'resumed', path });
}

/** Between this line and the bar sd-scripts hashes the model files, which may take a silent minute (train_network.py:1207). */
function beginHashing(reader: Reader, total: string): void {
  reader.state.totalSteps = Number(total);
  enterBeforeTraining(reader, 'hashing base model');
}

function loading(reader: Reader): void {
  enterBeforeTraining(reader, 'loading');
}

function enterBeforeTraining(reader: Reader, phase: Phase): void {
  if (reader.state.step === null) enter(reader, phase);
}

function enter({ state, events }: Reader, phase: Phase): void {
  if (state.phase === phase) return;
  state.phase = phase;
  events.push({ type: 'phase', phase });
}
