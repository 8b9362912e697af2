import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { Problem } from '../problem.js';
import { maskedText } from '../security/redact.js';
import type { Hub, LiveEvent } from './hub.js';

/** Pages redraw at most so often: a step may take a hundredth of a second. */
const REDRAW_MS = 250;
/** No stream is silent longer: proxies end what is, and the page wants to know that we are there. */
const HEARTBEAT_MS = 10_000;

/** Of all pages together; each costs a timer and a few kilobytes, and a browser opens one a tab. */
const MOST_STREAMS = 200;
const openStreams = new WeakMap<Hub, number>();

type Drawing = { title: string | null; regions: Record<string, string> };

export type Page = {
  /** Pages of one key show the same: they are drawn once for all who have them open. */
  key: string;
  /** The regions of the page that live, by id, and the tab's title (null: as it is). Sent where they differ from what was sent last. */
  draw(): Promise<Drawing>;
  /** Does this event change what the page shows? */
  concerns(event: LiveEvent): boolean;
  /**
   * New text of the log that the page follows, since it was last asked; null when there is none. As the log was at
   * `since` (`performance.now()`), or later.
   */
  log?(since: number): Promise<{ position: string; text: string; reset?: true } | null>;
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
    const sent = new Map<string, string>();
    const bell = createBell();
    let open = true;
    let drawDue = true;
    let logDue = page.log !== undefined;
    let dueAt = performance.now();
    let logDueAt = dueAt;
    let drawnAt = 0;
    let spokeAt = 0;
    let saidTitle = '';
    const leave = hub.join((event) => {
      if (event.type === 'log') {
        if (page.log === undefined || !page.concerns(event)) return;
        logDue = true;
        logDueAt = performance.now();
      } else if (page.concerns(event)) {
        drawDue = true;
        dueAt = performance.now();
      }
      if (logDue || drawDue) bell.ring();
    });
    stream.onAbort(() => {
      open = false;
      leave();
      bell.ring();
    });
    const say = async (data: string, event?: string, id?: string) => {
      spokeAt = performance.now();
      await stream.writeSSE({ data: maskedText(data), ...(event ? { event } : {}), ...(id ? { id } : {}) });
    };
    try {
      while (open && c.get('known')?.still() !== false) {
        if (logDue && page.log) {
          logDue = false;
          for (let piece = await page.log(logDueAt); piece && open; piece = await page.log(logDueAt)) {
            await say(JSON.stringify(piece), 'log', piece.position);
          }
        }
        if (drawDue && performance.now() - drawnAt >= REDRAW_MS) {
          const drawn = drawOnce(hub, page);
          // Somebody else's may be from before what we heard of: it is shown, and drawn again.
          drawDue = drawn.at <= dueAt;
          drawnAt = drawn.at;
          const { title, regions } = await drawn.shown;
          const changed = Object.entries(regions).filter(([id, html]) => sent.get(id) !== html);
          for (const [id, html] of changed) sent.set(id, html);
          if (changed.length > 0) await say(changed.map(partial).join('\n'));
          if (title !== null && title !== saidTitle) {
            saidTitle = title;
            await say(title, 'title');
          }
        }
        if (performance.now() - spokeAt >= HEARTBEAT_MS) await say(new Date().toISOString(), 'heartbeat');
        const now = performance.now();
        const wait = drawDue ? drawnAt + REDRAW_MS - now : spokeAt + HEARTBEAT_MS - now;
        if (open && !logDue) await bell.wait(wait);
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

function partial([id, html]: [string, string]): string {
  return `<hx-partial hx-target="#${id}" hx-swap="innerMorph">${html}</hx-partial>`;
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
