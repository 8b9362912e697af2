import { join } from 'node:path';
import { type Context, Hono } from 'hono';
import { logged, within } from '../caught.js';
import { Problem } from '../problem.js';
import { rootOf, wantsPage } from '../request.js';
import type { LogLandmarks, LogRows } from '../sessions/products/logFacts.js';
import { readLastRows, readLogLandmarks, readLogRows } from '../sessions/products/logRows.js';
import { TAIL_LINES } from '../sessions/products/logStream.js';
import type { Session } from '../sessions/status/session.js';
import { LOG_FILE } from '../telemetry/follow.js';
import { type Found, searchLog } from '../telemetry/log/searchLog.js';
import { readLogTail } from '../telemetry/logTail.js';
import type { Trackside } from '../trackside.js';
import { pageModel } from './home.js';
import { sendFile } from './sendFile.js';

const LONGEST_SEARCH = 500;
const MOST_LINES = 5000;
/** The wait for the numbers of lines: 50 MB are read by then. */
const PATIENCE_MS = 120;
/** Numbers of one answer to a search; the next ones are asked for with `after`. */
const MOST_FOUND = 1000;

/**
 * A session's training.log: as a page; as text, whole or an attempt's part of it, resumable (`Range`); `tail` lines of text;
 * and as JSON, `from` a line or `search`ed.
 */
export function logRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs } = trackside;

  routes.get('/sessions/:name/log', async (c) => {
    const session = await outputs.read(c.req.param('name'));
    c.header('Vary', 'Accept');
    const { tail, attempt, download, from, search } = c.req.query();
    if (search !== undefined) return c.json(await foundIn(c, session, search));
    if (tail !== undefined) return c.text(await tailOf(session, tail, attempt));
    if (attempt !== undefined || download !== undefined) return sendPart(c, outputs.root, session, attempt);
    if (wantsPage(c)) return c.html(await logPage(trackside, c, session));
    if (from === undefined && c.req.query('lines') === undefined) return sendPart(c, outputs.root, session, undefined);
    const lines = bounded(c.req.query('lines'), TAIL_LINES, MOST_LINES);
    return c.json(await readLogRows(session, whole(from) ?? -lines, lines));
  });

  routes.get('/sessions/:name/log/landmarks', async (c) =>
    c.json(await readLogLandmarks(await outputs.read(c.req.param('name')))),
  );

  return routes;
}

function sendPart(c: Context, root: string, { folder, facts }: Session, number: string | undefined) {
  const attempt = attemptOf(facts.attempts, number);
  const part = attempt && { from: attempt.log_start, to: attempt.log_end ?? Number.POSITIVE_INFINITY };
  const name = attempt ? `${facts.name}-attempt-${attempt.number}.log` : `${facts.name}.log`;
  return sendFile(c, root, join(folder, LOG_FILE), {
    type: 'text/plain; charset=utf-8',
    masked: true,
    ...(part ? { part } : {}),
    ...(c.req.query('download') === undefined ? {} : { attachment: name }),
  });
}

async function tailOf({ folder, facts }: Session, tail: string, number: string | undefined): Promise<string> {
  const attempt = attemptOf(facts.attempts, number);
  const lines = bounded(tail, TAIL_LINES, 100_000);
  const end = attempt?.log_end ?? undefined;
  return (await readLogTail(join(folder, LOG_FILE), lines, attempt?.log_start, end)).text;
}

/** Throws a Problem where there is no attempt of that number; null where none is asked for. */
function attemptOf(attempts: Session['facts']['attempts'], number: string | undefined) {
  if (number === undefined) return null;
  const attempt = attempts.find((each) => String(each.number) === number);
  if (!attempt) throw new Problem('no_attempt', `There is no attempt ${number}.`);
  return attempt;
}

async function foundIn(c: Context, { folder }: Session, search: string) {
  if (search.length > LONGEST_SEARCH) {
    throw new Problem('too_long_search', `A search has at most ${LONGEST_SEARCH} characters.`);
  }
  const found = search === '' ? null : await searchLog(join(folder, LOG_FILE), search, c.req.raw.signal);
  return {
    search,
    ...aroundLine(found ?? { matches: 0, lines: [], searched: 0, bytes: 0 }, whole(c.req.query('after')) ?? 0),
  };
}

/** The matches next to a line: `before` stand at it or before it, `earlier` before it; `lines` are those after it. */
function aroundLine({ matches, lines, searched, bytes }: Found, line: number) {
  const countTo = (so: (each: number) => boolean) => {
    const end = lines.findIndex((each) => !so(each));
    return end < 0 ? lines.length : end;
  };
  const [before, earlier] = [countTo((each) => each <= line), countTo((each) => each < line)];
  return {
    matches,
    searched,
    bytes,
    before,
    earlier,
    previous: lines[earlier - 1] ?? null,
    first: lines[0] ?? null,
    last: lines.at(-1) ?? null,
    lines: lines.slice(before, before + MOST_FOUND),
  };
}

type Shown = [rows: LogRows, landmarks: LogLandmarks | null];

/** A line of the page in the middle of what is shown, or the last lines; the words searched for, and where they stand. */
async function logPage(trackside: Trackside, c: Context, session: Session): Promise<string> {
  const { q = '' } = c.req.query();
  const line = whole(c.req.query('line'));
  const from = whole(c.req.query('from')) ?? (line === null ? -TAIL_LINES : Math.max(1, line - TAIL_LINES / 2));
  const { name, facts } = session;
  const root = rootOf(c);
  const read = Promise.all([readLogRows(session, from, TAIL_LINES), readLogLandmarks(session)]);
  // A large log is read once to number its lines. Its end is shown meanwhile; the page's stream brings the numbers.
  const early = async (): Promise<Shown> => {
    // That work goes on; whoever asks next gets its result, or its error.
    read.catch(logged('telemetry', 'The lines of a log could not be counted.'));
    return [await readLastRows(session, TAIL_LINES), null];
  };
  const [log, landmarks] = await (from === -TAIL_LINES ? within<Shown>(PATIENCE_MS, read, early) : read);
  return trackside.views.log({
    ...(await pageModel(trackside, root, name)),
    session: facts,
    ...log,
    landmarks,
    line,
    found: q === '' ? null : await foundIn(c, session, q),
    allBars: c.req.query('bars') !== undefined,
  });
}

function whole(text: string | undefined): number | null {
  return text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : null;
}

function bounded(text: string | undefined, usual: number, most: number): number {
  return Math.min(most, Math.max(1, whole(text) ?? usual));
}
