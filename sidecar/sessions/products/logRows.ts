import { join } from 'node:path';
import { inFile } from '../../files/inFile.js';
import { LOG_FILE } from '../../telemetry/follow.js';
import { readArrivals } from '../../telemetry/log/arrivals.js';
import { levelOf } from '../../telemetry/log/landmarks.js';
import { indexLog, type LineIndex, lineAt } from '../../telemetry/log/lineIndex.js';
import { type LogLine, readLines } from '../../telemetry/log/readLines.js';
import { openLog, readLogTail } from '../../telemetry/logTail.js';
import { isBar } from '../../trainers/causes/logLines.js';
import type { AttemptFacts } from '../facts.js';
import type { Session } from '../status/session.js';
import type { LogLandmarks, LogRow, LogRows } from './logFacts.js';

export type LogOfSession = Pick<Session, 'folder' | 'dialect' | 'facts'>;

/**
 * Some lines of a session's log.
 *
 * @param from the number of the first; negative counts from the end, -500 being the last 500
 */
export async function readLogRows(session: LogOfSession, from: number, count: number): Promise<LogRows> {
  const path = join(session.folder, LOG_FILE);
  const index = await indexLog(path);
  if (!index) return { total: 0, rows: [], position: '0:0' };
  const first = Math.max(1, from < 0 ? index.lines + 1 + from : from);
  const before = Math.min(first - 1, TRACEBACK_LINES);
  const lines = await readLines(path, index, first - before, count + before);
  const rows = rowsOf(session, lines, await readArrivals(path)).filter(({ n }) => n >= first);
  return { total: index.lines, rows, position: `${index.inode}:${index.lines}` };
}

/** The last lines without their numbers, which a large log tells only after a while (n: 0). Time does not grow with the log. */
export async function readLastRows(session: LogOfSession, count: number): Promise<LogRows> {
  const { text } = await readLogTail(join(session.folder, LOG_FILE), count);
  const lines = text.replace(/\n$/, '').split('\n');
  const offset = Number.POSITIVE_INFINITY;
  return {
    total: 0,
    rows: rowsOf(
      session,
      lines.map((text) => ({ n: 0, offset, end: offset, text, cut: 0 })),
      () => null,
    ),
    position: '0:0',
  };
}

/** Where each attempt begins in the log, and what stands out in it. */
export async function readLogLandmarks(session: LogOfSession): Promise<LogLandmarks> {
  const path = join(session.folder, LOG_FILE);
  const index = await indexLog(path);
  return {
    total: index?.lines ?? 0,
    attempts: index ? await attemptLines(path, index, session.facts.attempts) : [],
    errors: index?.landmarks.errors ?? [],
    errorCount: index?.landmarks.errorCount ?? 0,
    warnings: index?.landmarks.warnings ?? [],
    warningCount: index?.landmarks.warningCount ?? 0,
  };
}

async function attemptLines(path: string, index: LineIndex, attempts: readonly AttemptFacts[]) {
  return inFile(openLog(path), async (file) => {
    if (!file) return [];
    const found: { number: number; kind: AttemptFacts['kind']; started_at: string; line: number }[] = [];
    for (const { number, kind, started_at, log_start } of attempts) {
      if (log_start > index.size) continue;
      const line = await lineAt(file, index, log_start);
      // The runner's marker stands before the attempt's first byte (runner.py).
      found.push({ number, kind, started_at, line: Math.max(1, line - 1) });
    }
    return found;
  });
}

function rowsOf(
  { dialect, facts }: LogOfSession,
  lines: readonly LogLine[],
  arrivedAt: (end: number) => string | null,
): LogRow[] {
  let inTraceback = false;
  return lines.map(({ n, offset, end, text, cut }) => {
    const attempt = facts.attempts.findLast(({ log_start }) => log_start <= offset) ?? null;
    const level = levelOf(text);
    const bar = isBar(text);
    const own = inTraceback && level === null && !bar;
    inTraceback = text.includes('Traceback (most recent call last)') || (own && /^(?:\s|$)/.test(text));
    return {
      n,
      text: unpadded(text),
      cut,
      kind: MARKER.test(text) ? 'attempt' : (level ?? (bar ? 'bar' : own ? 'traceback' : null)),
      attempt: attempt?.number ?? null,
      step: bar && attempt && attempt.steps_added > 0 ? absoluteStep(text) : null,
      arrived_at: arrivedAt(end),
    };

    function absoluteStep(words: string): number | null {
      if (dialect.console.file !== null || !attempt) return null;
      const { events } = dialect.console.read(null, `${words}\n`, '');
      const step = events.find((event) => event.type === 'step');
      return step ? step.step + attempt.steps_added : null;
    }
  });
}

/** Rich puts the place in the source at the right edge of a screen that is as wide as it likes: it would take a second row. */
function unpadded(text: string): string {
  const padding = text.lastIndexOf(PADDING);
  const place = text.slice(padding + PADDING.length);
  return padding >= 0 && PLACE.test(place) ? `${text.slice(0, padding).trimEnd()}  ${place}` : text;
}

const PADDING = ' '.repeat(8);
const PLACE = /^\w{1,60}\.py:\d{1,6}$/;
/** Lines before others that are read with them: these may stand in a traceback. */
const TRACEBACK_LINES = 60;
/** Written by the runner before each attempt (runner.py). */
const MARKER = /^── attempt \d+ · /;
