import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { Problem } from '../problem.js';
import { maskedText } from '../security/redact.js';
import { changesSince, type Drawing } from './changes.js';
import type { Hub, LiveEvent } from './hub.js';

/** Pages redraw at most so often: a step may take a hundredth of a second. */
const REDRAW_MS = 250;
/** Text of a log is sent at most so often, and to all at the same moments: it is read once for all. */
const LOG_MS = 100;
/** No stream is silent longer: proxies end what is, and the page wants to know that we are there. */
const HEARTBEAT_MS = 10_000;

/** Of all pages together; each costs a timer and a few kilobytes, and a browser opens one a tab. */
const MOST_STREAMS = 200;
const openStreams = new WeakMap<Hub, number>();

/** Pages that are open now. */
export function openStreamCount(hub: Hub): number {
  return openStreams.get(hub) ?? 0;
}

export type Page = {
  /** Pages of one key show the same: they are drawn once for all who have them open. */
  key: string;
  /** What the page shows now. Sent where it differs from what was sent last. */
  draw(): Promise<Drawing>;
  /** Does this event change what the page shows? */
  concerns(event: LiveEvent): boolean;
  /**
   * New text of the log that the page follows, since it was last asked; null when there is none. As the log was at
   * `since` (`performance.now()`), or later.
   */
  log?(since: number): Promise<Piece | null>;
};

/**
 * The one stream of a page: a whole snapshot first, then what changes, a heartbeat when nothing does. Regions go out as
 * unnamed messages of `<hx-partial>`s, which htmx swaps in; `log`, `title` and `heartbeat` are named. Throws a Problem
 * where too many are open. It ends with the login that opened it.
 */
export function openStream(c: Context, hub: Hub, page: Page): Response {
  const others = openStreams.get(hub) ?? 0;
  if (others >= MOST_STREAMS) {
    const message = `${MOST_STREAMS} pages are open already. This one shows what was so when it was loaded; close some others.`;
    throw new Problem('too_many_pages', message, { retryAfter: 10 });
  }
  openStreams.set(hub, others + 1);
  c.header('X-Accel-Buffering', 'no');
  const answer = streamSSE(c, async (stream) => {
    const bell = createBell();
    let open = true;
    let drawDue = true;
    let logDue = page.log !== undefined;
    let dueAt = performance.now();
    let logDueAt = dueAt;
    let logNotBefore = 0;
    let drawnAt = 0;
    let spokeAt = 0;
    let shown = NOTHING;
    const leave = hub.join((event) => {
      if (!page.concerns(event)) return;
      // What is due already needs no bell: the loop knows when.
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
          logNotBefore = (Math.floor(performance.now() / LOG_MS) + 1) * LOG_MS;
          for (let piece = await page.log(logDueAt); piece && open; piece = await page.log(logDueAt)) {
            await say(logMessage(piece));
          }
        }
        if (drawDue && performance.now() - drawnAt >= REDRAW_MS) {
          const drawn = drawOnce(hub, page);
          // Somebody else's may be from before what we heard of: it is shown, and drawn again.
          drawDue = drawn.at <= dueAt;
          drawnAt = drawn.at;
          const now = await drawn.shown;
          const message = drawingMessage(shown, now);
          shown = now;
          if (message.length > 0) await say(message);
        }
        if (performance.now() - spokeAt >= HEARTBEAT_MS) await say(asMessage(new Date().toISOString(), 'heartbeat'));
        const now = performance.now();
        const waits = [
          spokeAt + HEARTBEAT_MS,
          ...(drawDue ? [drawnAt + REDRAW_MS] : []),
          ...(logDue ? [logNotBefore] : []),
        ];
        if (open) await bell.wait(Math.min(...waits) - now);
      }
    } catch (error) {
      // What the page shows was deleted: asking again, it hears so.
      if (!(error instanceof Problem)) throw error;
    } finally {
      leave();
      drawings.get(hub)?.delete(page.key);
      openStreams.set(hub, (openStreams.get(hub) ?? 1) - 1);
    }
  });
  // After the fact: streamSSE says no-cache, and a proxy that compresses holds back.
  answer.headers.set('Cache-Control', 'no-store, no-transform');
  return answer;
}

type Drawn = { at: number; shown: Promise<Drawing> };
const drawings = new WeakMap<Hub, Map<string, Drawn>>();

/** The page as somebody had it drawn just now, or anew. */
function drawOnce(hub: Hub, page: Page): Drawn {
  const all = drawings.get(hub) ?? new Map<string, Drawn>();
  drawings.set(hub, all);
  const last = all.get(page.key);
  if (last && performance.now() - last.at < REDRAW_MS) return last;
  const drawn = { at: performance.now(), shown: page.draw() };
  all.set(page.key, drawn);
  return drawn;
}

/** What a page shows before anything was sent to it. */
const NOTHING: Drawing = { title: null, regions: {} };
const drawingMessages = new WeakMap<Drawing, WeakMap<Drawing, Uint8Array>>();

/** What is sent to a page that shows `before`, so that it shows `now`: made once for all who look at the same. */
function drawingMessage(before: Drawing, now: Drawing): Uint8Array {
  const made = drawingMessages.get(now) ?? new WeakMap<Drawing, Uint8Array>();
  drawingMessages.set(now, made);
  const known = made.get(before);
  if (known) return known;
  const changes = changesSince(before, now);
  const title = now.title === before.title ? null : now.title;
  const parts = [changes && asMessage(changes), title !== null && asMessage(title, 'title')];
  const message = Buffer.concat(parts.filter((part) => part instanceof Uint8Array));
  made.set(before, message);
  return message;
}

type Piece = { position: string; text: string; reset?: true };
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

/** Waits until somebody rings, or the time is up. A ring while nobody waits is heard by the next who does. */
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
