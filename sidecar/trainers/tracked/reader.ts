import { z } from 'zod';
import type { Beginning, ConsoleEvent, ConsoleFacts, ConsoleReader, Memory } from '../console.js';
import { linesOf, lossTag, METRICS_FILE, metricsOf, numberOf, type TrackedLine } from './lines.js';

const number = z.number().nullable().default(null).catch(null);
const text = z.string().nullable().default(null).catch(null);

/** What is known of an attempt so far. `mine`: the lines that are read now are its own. */
const memorySchema = z.object({
  rest: z.string().default('').catch(''),
  mine: z.boolean().default(false).catch(false),
  begun: z.boolean().default(false).catch(false),
  step: number,
  total: number,
  epoch: number,
  epochs: number,
  loss: z
    .union([z.number(), z.literal('nan')])
    .nullable()
    .default(null)
    .catch(null),
  saving: text,
  sampling: z.boolean().default(false).catch(false),
  checkpoint: text,
  how: text,
});
type Told = z.infer<typeof memorySchema>;

const toldBy = (memory: Memory): Told => memorySchema.parse(memory ?? {});

/** Reads `metrics.ndjson`, in which every attempt begins with a line that names it. */
export const trackedReader: ConsoleReader = {
  file: METRICS_FILE,
  read(memory, piece, attempt) {
    const told = toldBy(memory);
    const { lines, rest } = linesOf(told.rest + piece);
    const events: ConsoleEvent[] = [];
    let now: Told = { ...told, rest };
    for (const line of lines) now = takeLine(now, line, attempt, events);
    return { memory: now, events };
  },
  facts: (memory, beginning) => factsOf(toldBy(memory), beginning),
  together: ([first]) => first ?? null,
  newestRun: (all) => all.slice(Math.max(0, all.lastIndexOf('{"event": "begin"'))),
};

function takeLine(now: Told, line: TrackedLine, attempt: string, events: ConsoleEvent[]): Told {
  if (line.event === 'begin') {
    const mine = line.attempt === attempt;
    return { ...now, mine, begun: now.begun || mine, total: mine ? (numberOf(line.total) ?? now.total) : now.total };
  }
  if (!now.mine) return now;
  return typeof line.event === 'string' ? takeEvent(now, line, events) : takeLog(now, line, events);
}

function takeLog(now: Told, line: TrackedLine, events: ConsoleEvent[]): Told {
  const metrics = metricsOf(line);
  const tag = lossTag(metrics.map(([name]) => name));
  const value = metrics.find(([name]) => name === tag)?.[1];
  const loss = value === undefined ? now.loss : Number.isFinite(value) ? value : 'nan';
  const step = numberOf(line.step) ?? now.step;
  const plan = { total: numberOf(line.total) ?? now.total, epochs: numberOf(line.epochs) ?? now.epochs };
  if (step !== null) events.push({ type: 'step', step, total: plan.total ?? 0, loss });
  return { ...now, ...plan, step, loss, epoch: numberOf(line.epoch) ?? now.epoch, saving: null, sampling: false };
}

function takeEvent(now: Told, line: TrackedLine, events: ConsoleEvent[]): Told {
  const name = typeof line.state === 'string' ? line.state : '';
  switch (line.event) {
    case 'saving':
      events.push({ type: 'state-begun', path: name });
      return { ...now, saving: name };
    case 'state':
      events.push({ type: 'state-saved', path: name });
      return { ...now, saving: null };
    case 'state_failed':
      return { ...now, saving: null };
    case 'checkpoint': {
      const path = String(line.file);
      events.push({ type: 'checkpoint', path });
      return { ...now, checkpoint: path };
    }
    case 'sampling':
      events.push({ type: 'sampling' });
      return { ...now, sampling: true };
    case 'sample':
      return { ...now, sampling: false };
    case 'alert':
      events.push(alertOf(line));
      return now;
    case 'end':
      if (line.how === 'finished') events.push({ type: 'finished' });
      return { ...now, saving: null, sampling: false, how: String(line.how) };
    default:
      return now;
  }
}

/** Its words may be anything: a script wrote them. */
function alertOf({ title, text, level, time }: TrackedLine): ConsoleEvent {
  const known = level === 'warn' || level === 'error' ? level : 'info';
  const cut = (words: unknown, most: number) => String(words ?? '').slice(0, most);
  return { type: 'alert', title: cut(title, 200), text: cut(text, 2000), level: known, at: numberOf(time) ?? 0 };
}

function factsOf(told: Told, beginning: Beginning | null): ConsoleFacts {
  const finished = told.how === 'finished';
  const phase = told.saving ? 'saving' : told.sampling ? 'sampling' : told.step === null ? 'starting' : 'training';
  return {
    phase: told.how === null ? phase : 'ended',
    // The loop's last index is one less than its length.
    step: finished && told.total !== null && told.step !== null ? told.total : told.step,
    stepOffset: beginning?.stepOffset ?? 0,
    totalSteps: told.total,
    epoch: told.epoch === null ? null : Math.floor(told.epoch),
    epochs: told.epochs,
    stepsPerEpoch: null,
    loss: told.loss,
    savingState: told.saving,
    lastCheckpoint: told.checkpoint,
    stateFollows: false,
    finished,
    silent: !told.begun,
  };
}
