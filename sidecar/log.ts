/**
 * The log of the sidecar: one JSON object per line on stderr, and the last lines in memory for `/diagnostics`. Secrets are
 * masked on the way to both (maskConsole, maskAnswers).
 *
 * @example log.info('sessions', 'Attempt 2 was started.', { session: 'my-cat', attempt: 2 })
 */
export const log = {
  debug: writerFor('debug'),
  info: writerFor('info'),
  warn: writerFor('warn'),
  error: writerFor('error'),
};

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The subject of a line; `error`: the error to report. */
type About = { session?: string; attempt?: number; error?: unknown; [name: string]: unknown };

export type LogLine = Omit<About, 'error'> & {
  /** ISO 8601, UTC. */
  time: string;
  level: LogLevel;
  room: string;
  msg: string;
  error?: string;
};

const MOST_LINES = 500;
const LONGEST_ERROR = 4000;
/** Shortest time between two equal warnings, for example of a file that is read every second. */
const REPEAT_MS = 600_000;

const lines: LogLine[] = [];
const warned = new Map<string, number>();
let least: LogLevel = 'info';

/** Leaves out lines below this level. */
export function setLogLevel(level: LogLevel): void {
  least = level;
}

/** The last lines, oldest first. */
export function lastLines(): readonly LogLine[] {
  return lines;
}

function writerFor(level: LogLevel) {
  return (room: string, msg: string, { error, ...about }: About = {}): void => {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return;
    const line: LogLine = { time: new Date().toISOString(), level, room, ...about, msg };
    if (error !== undefined) line.error = wordsOf(error, level).slice(0, LONGEST_ERROR);
    if (level === 'warn' && repeats(`${room} ${about.session} ${msg} ${line.error}`)) return;
    lines.push(line);
    if (lines.length > MOST_LINES) lines.shift();
    process.stderr.write(`${JSON.stringify(line)}\n`);
  };
}

function wordsOf(error: unknown, level: LogLevel): string {
  if (!(error instanceof Error)) return String(error);
  return level === 'error' && error.stack ? error.stack : error.message;
}

function repeats(line: string): boolean {
  const now = performance.now();
  const before = warned.get(line);
  if (before !== undefined && now - before < REPEAT_MS) return true;
  warned.delete(line);
  warned.set(line, now);
  for (const oldest of warned.keys()) {
    if (warned.size <= MOST_LINES) break;
    warned.delete(oldest);
  }
  return false;
}
