import type { Phase } from '../sessions/facts.js';
import { type RichRecord, readRichLine } from './richLines.js';

/** What a trainer's console has said so far. Plain JSON: the next sidecar takes it up where this one left it. */
export type ConsoleState = {
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
  /** "total optimization steps": of the whole training, not of what is left of it. */
  totalSteps: number | null;
  /** The state folder that is being written, from "Saving current state to" until "Random states saved in". */
  savingState: string | null;
  lastStateSaved: string | null;
  /** The last weights file that was begun. */
  lastCheckpoint: string | null;
  resumedFrom: string | null;
  /** "model saved.": the trainer did all it was asked for. */
  finished: boolean;
  /** Text that no line end has followed yet, and the log record that may go on in the next line. */
  carry: string;
  record: RichRecord | null;
};

export type ConsoleEvent =
  | { type: 'step'; step: number; total: number; loss: number | 'nan' | null }
  | { type: 'epoch'; epoch: number; epochs: number }
  | { type: 'phase'; phase: Phase }
  | { type: 'checkpoint'; path: string }
  | { type: 'state-begun'; path: string }
  | { type: 'state-saved'; path: string }
  | { type: 'sampling' }
  | { type: 'resumed'; path: string }
  | { type: 'finished' };

/** A console on which nothing was printed yet. One for each attempt. */
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
  };
}

/** Optimizer steps in one epoch (sd-scripts train_network.py:800: accumulation also ends with the epoch); null while unknown. */
export function stepsPerEpoch(state: Pick<ConsoleState, 'batchesPerEpoch' | 'accumulation'>): number | null {
  return state.batchesPerEpoch === null ? null : Math.ceil(state.batchesPerEpoch / (state.accumulation ?? 1));
}

/** No line that means anything is longer; more of one is not kept. */
const LONGEST_LINE = 8192;

/**
 * Reads what sd-scripts prints (stdout and stderr, mixed), piece by piece: any cutting into chunks gives the same state
 * and the same events. Lines end with a newline or a carriage return; a bar counts as soon as its `]` is there.
 */
export function readConsole(state: ConsoleState, chunk: string): { state: ConsoleState; events: ConsoleEvent[] } {
  const reader: Reader = { state: { ...state }, events: [] };
  const lines = (state.carry + chunk).split(/[\r\n]/);
  const unfinished = lines.pop() ?? '';
  for (const line of lines) readLine(reader, withoutAnsi(line.slice(0, LONGEST_LINE)));
  reader.state.carry = unfinished.slice(0, LONGEST_LINE);
  readBar(reader, withoutAnsi(reader.state.carry));
  return reader;
}

type Reader = { state: ConsoleState; events: ConsoleEvent[] };

const ESCAPE = '\u001b';
const ANSI = new RegExp(`${ESCAPE}(?:\\[[0-9;?]*[A-Za-z]|\\][^${ESCAPE}\u0007]*(?:\u0007|${ESCAPE}\\\\))`, 'g');

function withoutAnsi(text: string): string {
  return text.includes(ESCAPE) ? text.replace(ANSI, '') : text;
}

function readLine(reader: Reader, line: string): void {
  const afterBar = readBar(reader, line);
  const rest = afterBar ?? line;
  const record = readRichLine(reader.state.record, rest);
  if (!record || LEVEL_BEGINS(reader, record)) endRecord(reader);
  reader.state.record = record;
}

const BAR =
  /^steps:\s+\d+%\|[^|]*\|\s*(\d+)\/(\d+) \[[\d:]+<[\d:?]+,\s*(?:\?|[\d.]+)\s*(?:it\/s|s\/it)(?:,\s*([^\]]*))?\]/;

/** Reads the main bar and returns what follows it on its line; null when the line does not begin with one. */
function readBar({ state, events }: Reader, line: string): string | null {
  const found = line.startsWith('steps:') ? BAR.exec(line) : null;
  if (!found) return null;
  const step = Number(found[1]);
  const total = Number(found[2]);
  const loss = readLoss(found[3]) ?? state.loss;
  const changed = step !== state.step || total !== state.total || loss !== state.loss;
  Object.assign(state, { step, total, loss });
  if (!['finishing', 'ended'].includes(state.phase)) enter({ state, events }, 'training');
  if (changed) events.push({ type: 'step', step, total, loss });
  return line.slice(found[0].length);
}

function readLoss(postfix: string | undefined): number | 'nan' | null {
  const text = /avr_loss=([^,\s]+)/.exec(postfix ?? '')?.[1];
  if (text === undefined) return null;
  return Number.isFinite(Number(text)) ? Number(text) : 'nan';
}

type Meaning = [pattern: RegExp, apply: (reader: Reader, value: string) => void];

const MEANINGS: Meaning[] = [
  [/^epoch (\d+\/\d+)$/, readEpoch],
  [/^saving checkpoint: (.+)$/, beginCheckpoint],
  [/^Saving current state to (.+)$/, beginState],
  [/^Random states saved in (.+)[/\\]random_states_\d+\.pkl$/, endState],
  [/^saving last state\.?$/, (reader) => enter(reader, 'finishing')],
  [/^generating sample images/, beginSampling],
  [/^model saved\.$/, finish],
  [/^resume training from local state: (.+)$/, resumed],
  [/^caching (?:latents|text encoder outputs)/i, (reader) => enterBeforeTraining(reader, 'caching latents')],
  [/^(?:Loading dataset config|prepare images|preparing accelerator|loading model|load |create LoRA|import network)/, loading],
  [/^num train images \* repeats.*: (\d+)$/, ({ state }, n) => void (state.imagesWithRepeats = Number(n))],
  [/^num batches per epoch.*: (\d+)$/, ({ state }, n) => void (state.batchesPerEpoch = Number(n))],
  [/^num epochs.*: (\d+)$/, ({ state }, n) => void (state.epochs = Number(n))],
  [/^gradient accumulation steps.*= (\d+)$/, ({ state }, n) => void (state.accumulation = Number(n))],
  [/^total optimization steps.*: (\d+)$/, beginHashing],
];

function readMessage(reader: Reader, message: string): void {
  if (message === '') return;
  for (const [pattern, apply] of MEANINGS) {
    const found = pattern.exec(message);
    if (found) return apply(reader, found[1] ?? '');
  }
}

/** A record whose end is certain need not wait for the line after it: that may be a long step away. */
function readableAtOnce({ text, full }: RichRecord): boolean {
  if (/^(?:Random states saved in .+\.pkl|model saved\.)$/.test(text)) return true;
  if (/^(?:generating sample images|caching |loading model)/.test(text)) return true;
  return !full && /^Saving current state to .+-state$/.test(text);
}

function readEpoch({ state, events }: Reader, value: string): void {
  const [epoch = 0, epochs = 0] = value.split('/').map(Number);
  Object.assign(state, { epoch, epochs });
  events.push({ type: 'epoch', epoch, epochs });
}

function beginCheckpoint(reader: Reader, path: string): void {
  reader.state.lastCheckpoint = path;
  if (reader.state.phase !== 'finishing') enter(reader, 'saving');
  reader.events.push({ type: 'checkpoint', path });
}

function beginState(reader: Reader, path: string): void {
  if (reader.state.savingState === path) return;
  reader.state.savingState = path;
  if (reader.state.phase !== 'finishing') enter(reader, 'saving');
  reader.events.push({ type: 'state-begun', path });
}

function endState({ state, events }: Reader, path: string): void {
  if (state.savingState === null && state.lastStateSaved === path) return;
  Object.assign(state, { savingState: null, lastStateSaved: path });
  events.push({ type: 'state-saved', path });
}

function beginSampling(reader: Reader): void {
  if (reader.state.phase === 'sampling') return;
  enter(reader, 'sampling');
  reader.events.push({ type: 'sampling' });
}

function finish(reader: Reader): void {
  if (reader.state.finished) return;
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
