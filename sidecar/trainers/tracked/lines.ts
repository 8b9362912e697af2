import { contract } from '../../bridge.js';
import { jsonOrNull } from '../../files/exactJson.js';

/** The file of `trackside.track` in an output folder: a line of JSON for each log, and for what else happens. */
export const METRICS_FILE = contract.files.metrics;

/** A line: `event` names what is no log (trackside/_track/writer.py); a log has a step and numbers. */
export type TrackedLine = Record<string, unknown>;

/** The names in a log that are no metrics. */
const PLAN = ['step', 'time', 'total', 'epoch', 'epochs'];
const NOT_FINITE: Record<string, number> = { NaN: Number.NaN, Infinity: Infinity, '-Infinity': -Infinity };

/** The whole lines of a text, and its unfinished end. What is no JSON object is left out: a power cut spoils a line. */
export function linesOf(text: string): { lines: TrackedLine[]; rest: string } {
  const whole = text.split('\n');
  const rest = whole.pop() ?? '';
  const objects = whole.filter((line) => line.startsWith('{')).map((line) => jsonOrNull(line) as TrackedLine | null);
  return { lines: objects.filter((line) => line !== null), rest };
}

/** A number of a log; null for anything else. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? (NOT_FINITE[value] ?? null) : null;
}

/** The metrics of a log, in their order. */
export function metricsOf(line: TrackedLine): [tag: string, value: number][] {
  return Object.entries(line).flatMap(([tag, value]): [string, number][] => {
    const number = PLAN.includes(tag) ? null : numberOf(value);
    return number === null ? [] : [[tag, number]];
  });
}

/** The metric that stands for the training: `loss`, else the first one that is called a loss of the training. */
export function lossTag(tags: readonly string[]): string | undefined {
  return (
    tags.find((tag) => tag === 'loss') ??
    tags.find((tag) => /^train.*loss$/i.test(tag)) ??
    tags.find((tag) => /loss/i.test(tag) && !/val|eval|test/i.test(tag))
  );
}
