import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { Problem } from '../problem.js';
import { maskedText } from '../security/redact.js';
import { changesSince, type Drawing } from './changes.js';
import type { Hub, LiveEvent } from './hub.js';

/** Shortest time between two redraws of a page: a step may take a hundredth of a second. */
const REDRAW_MS = 250;
/** Shortest time between two pieces of a log. All pages get them at the same moments, so that one read serves all. */
const LOG_MS = 100;
/** Both, where whatever is sent arrives only seconds later, all at once (see routes/streams.ts): it is a page's work to show it all. */
const HELD_MS = 2400;
/** Longest silence of a stream: proxies end silent connections, and the page checks that we are alive. */
const HEARTBEAT_MS = 10_000;

/** Over all pages; each costs a timer and a few kilobytes, and a browser opens one per tab. */
const MOST_STREAMS = 200;
const openStreams = new WeakMap<Hub, number>();

/** Pages that are open now. */
export function openStreamCount(hub: Hub): number {
  return openStreams.get(hub) ?? 0;
}

export type Page = {
  /** Pages with one key show the same, and are drawn once for all. */
  key: string;
  /** The contents of the page as they were at `asOf` (`performance.now()`) or later. Only differences from the last ones are sent. */
  draw(asOf: number): Promise<Drawing>;
  /** Does this event change what the page shows? */
  concerns(event: LiveEvent): boolean;
  /**
   * New text of the page's log since the last call; null without any. As the log was at `since` (`performance.now()`) or
   * later.
   */
  log?(since: number): Promise<Piece | null>;
  /** Called when the stream opens; returns what to do when it ends. */
  open?(): () => void;
};

/**
 * Opens the one stream of a page: first a whole snapshot, then changes, or heartbeats. Regions are unnamed messages of
 * `<hx-partial>`s, which htmx swaps in; `log`, `title`, `news` and `heartbeat` are named. Throws a Problem if too many are open. The
 * stream ends with the login that opened it.
 */
export function openStream(c: Context, hub: Hub, page: Page): Response {
  const others = openStreams.get(hub) ?? 0;
  if (others >= MOST_STREAMS) {
    const message = `${MOST_STREAMS} pages are open already, so this one does not update. Close some others.`;
    throw new Problem('too_many_pages', message, { retryAfter: 10 });
  }
  openStreams.set(hub, others + 1);
  const answer = streamSSE(c, async (stream) => {
    const bell = createBell();
    const ended = page.open?.();
    let open = true;
    let drawDue = true;
    let logDue = page.log !== undefined;
    let dueAt = performance.now();
    let logDueAt = dueAt;
    let logNotBefore = 0;
    let drawnAt = 0;
    let spokeAt = 0;
    let shown = NOTHING;
    const isHeld = c.req.query('held') !== undefined;
    const [redrawMs, logMs] = isHeld ? [HELD_MS, HELD_MS] : [REDRAW_MS, LOG_MS];
    const leave = hub.join((event) => {
      if (!page.concerns(event)) return;
      // Work that is due already needs no bell: the loop knows when.
      if (event.type !== 'log') {
        if (!drawDue) bell.ring();
        drawDue = true;
        dueAt = performance.now();
      } else if (page.log) {
        if (!logDue) bell.ring();
        logDue = true;
        logDueAt = performance.now();
      }
    });
    stream.onAbort(() => {
      open = false;
      leave();
      bell.ring();
    });
    const say = async (message: Uint8Array) => {
      spokeAt = performance.now();
      await stream.write(message);
    };
    try {
      while (open && c.get('known')?.still() !== false) {
        if (logDue && page.log && performance.now() >= logNotBefore) {
          logDue = false;
          logNotBefore = (Math.floor(performance.now() / logMs) + 1) * logMs;
          for (let piece = await page.log(logDueAt); piece && open; piece = await page.log(logDueAt)) {
            await say(logMessage(piece));
          }
        }
        if (drawDue && performance.now() - drawnAt >= redrawMs) {
          const drawn = drawOnce(hub, page, dueAt);
          // Another page's drawing may be older than our event: show it, and draw again.
          drawDue = drawn.at <= dueAt;
          drawnAt = drawn.at;
          const now = await drawn.shown;
          const message = drawingMessage(shown, now);
          const isFirst = shown === NOTHING;
          shown = now;
          if (message.length > 0) await say(message);
          // By it the page knows our clock.
          if (isFirst) await say(heartbeat());
        }
        if (performance.now() - spokeAt >= HEARTBEAT_MS) await say(heartbeat());
        const now = performance.now();
        const waits = [
          spokeAt + HEARTBEAT_MS,
          ...(drawDue ? [drawnAt + redrawMs] : []),
          ...(logDue ? [logNotBefore] : []),
        ];
        if (open) await bell.wait(Math.min(...waits) - now);
      }
    } catch (error) {
      // The subject of the page was deleted: its next request says so.
      if (!(error instanceof Problem)) throw error;
    } finally {
      leave();
      ended?.();
      drawings.get(hub)?.delete(page.key);
      openStreams.set(hub, (openStreams.get(hub) ?? 1) - 1);
    }
  });
  return unbuffered(answer);
}

/** Asks proxies to pass on each message at once: nginx gathers, and one that compresses would hold back. */
export function unbuffered(answer: Response): Response {
  answer.headers.set('X-Accel-Buffering', 'no');
  // streamSSE sets only no-cache.
  answer.headers.set('Cache-Control', 'no-store, no-transform');
  return answer;
}

type Drawn = { at: number; shown: Promise<Drawing> };
const drawings = new WeakMap<Hub, Map<string, Drawn>>();

/** The drawing that another stream made just now, or a new one. */
function drawOnce(hub: Hub, page: Page, asOf: number): Drawn {
  const all = drawings.get(hub) ?? new Map<string, Drawn>();
  drawings.set(hub, all);
  const last = all.get(page.key);
  if (last && performance.now() - last.at < REDRAW_MS) return last;
  const drawn = { at: performance.now(), shown: page.draw(asOf) };
  all.set(page.key, drawn);
  return drawn;
}

/** A page before its first message. */
const NOTHING: Drawing = { title: null, regions: {} };
const drawingMessages = new WeakMap<Drawing, WeakMap<Drawing, Uint8Array>>();

/** The message that turns a page from `before` to `now`, made once for all pages that show the same. */
function drawingMessage(before: Drawing, now: Drawing): Uint8Array {
  const made = drawingMessages.get(now) ?? new WeakMap<Drawing, Uint8Array>();
  drawingMessages.set(now, made);
  const known = made.get(before);
  if (known) return known;
  const changes = changesSince(before, now);
  const title = now.title === before.title ? null : now.title;
  const news = now.news === before.news ? undefined : now.news;
  const parts = [
    changes && asMessage(changes),
    title !== null && asMessage(title, 'title'),
    news !== undefined && asMessage(news, 'news'),
  ];
  const message = Buffer.concat(parts.filter((part) => part instanceof Uint8Array));
  made.set(before, message);
  return message;
}

/** `position` is where the next one goes on. */
type Piece = { position: string };
const logMessages = new WeakMap<Piece, Uint8Array>();

function logMessage(piece: Piece): Uint8Array {
  const message = logMessages.get(piece) ?? asMessage(JSON.stringify(piece), 'log', piece.position);
  logMessages.set(piece, message);
  return message;
}

/** A server-sent event, secrets masked. */
function asMessage(data: string, event?: string, id?: string): Uint8Array {
  const lines = maskedText(data).split(/\r\n|\r|\n/);
  const fields = [event && `event: ${event}`, ...lines.map((line) => `data: ${line}`), id && `id: ${id}`];
  return Buffer.from(`${fields.filter(Boolean).join('\n')}\n\n`);
}

function heartbeat(): Uint8Array {
  return asMessage(new Date().toISOString(), 'heartbeat');
}

/** Waits for a ring or a timeout. A ring without a waiter ends the next wait at once. */
function createBell() {
  let wake: (() => void) | null = null;
  let rung = false;
  return {
    ring(): void {
      if (wake) wake();
      else rung = true;
    },
    wait(ms: number): Promise<void> {
      if (rung || ms <= 0) {
        rung = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          wake = null;
          resolve();
        };
        const timer = setTimeout(done, ms);
        wake = done;
      });
    },
  };
}
