import { type Context, Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { z } from 'zod';
import { logged } from '../caught.js';
import { jsonOrNull } from '../files/exactJson.js';
import { unbuffered } from '../live/stream.js';
import { Problem } from '../problem.js';
import { readFields } from './respond.js';

/** A browser's tab: its stream's address from the site's root on, and the last position that it heard of (`id`). */
const page = z.object({
  tab: z.string().regex(/^\w{1,40}$/),
  address: z.string().max(2000),
  last: z.string().max(100).default(''),
});
type Page = z.infer<typeof page>;

const change = z.object({ add: z.array(page).max(100).default([]), drop: z.array(z.string()).max(1000).default([]) });

/** The answers that are open, by the name that the browser gave them. */
type Shared = { add(page: Page): void; drop(tab: string): void };

/** A browser behind a proxy that holds answers back until they end asks for short ones. */
const SHORT_MS = 5000;

/**
 * The streams of all tabs of a browser in one answer, since browsers open six connections to an address over all tabs.
 * `GET /streams/<any name>?pages=[{"tab","address","last"}]` sends what each page's own stream sends, with the field `tab` in
 * each message; `PATCH` the same address with `{"add": [pages], "drop": [tabs]}` changes which. `refused` (an HTTP status) and
 * `ended` say that a page has no stream any more. `fetch` answers requests as if they came from this browser.
 */
export function streamRoutes(fetch: Hono['fetch']): Hono {
  const routes = new Hono();
  const open = new Map<string, Shared>();

  routes.get('/streams/:id', (c) => {
    const pages = z
      .array(page)
      .min(1)
      .max(100)
      .safeParse(jsonOrNull(c.req.query('pages') ?? ''));
    if (!pages.success) throw new Problem('bad_request', 'pages must be a list of {"tab", "address", "last"}.');
    const id = c.req.param('id');
    const short = c.req.query('short') !== undefined;
    return unbuffered(
      streamSSE(c, async (stream) => {
        const shared = sharedBy(c, fetch, short, (text) => stream.write(text));
        open.set(id, shared);
        for (const each of pages.data) shared.add(each);
        await new Promise<void>((over) => {
          stream.onAbort(over);
          if (short) setTimeout(over, SHORT_MS);
        });
        if (open.get(id) === shared) open.delete(id);
        shared.close();
      }),
    );
  });

  routes.patch('/streams/:id', async (c) => {
    const shared = open.get(c.req.param('id'));
    if (!shared) throw new Problem('not_found', 'There is no open stream of this name.');
    const asked = change.safeParse(await readFields(c));
    if (!asked.success) throw new Problem('bad_request', 'The body must be {"add": [pages], "drop": [tabs]}.');
    for (const tab of asked.data.drop) shared.drop(tab);
    for (const each of asked.data.add) shared.add(each);
    return c.body(null, 204);
  });

  return routes;
}

function sharedBy(c: Context, fetch: Hono['fetch'], held: boolean, say: (text: string) => Promise<unknown>) {
  const tabs = new Map<string, AbortController>();
  const drop = (tab: string) => {
    tabs.get(tab)?.abort();
    tabs.delete(tab);
  };
  return {
    drop,
    add(page: Page): void {
      drop(page.tab);
      const control = new AbortController();
      tabs.set(page.tab, control);
      void follow(page, control).catch(logged('live', 'The stream of a page could not be passed on.', page.address));
    },
    close(): void {
      for (const tab of [...tabs.keys()]) drop(tab);
    },
  };

  async function follow({ tab, address, last }: Page, control: AbortController): Promise<void> {
    const tell = (message: string) => (control.signal.aborted ? null : say(`tab: ${tab}\n${message}\n\n`));
    const request = requestFor(c, address, last, held);
    const answer = request && (await fetch(request, c.env));
    if (!answer?.headers.get('Content-Type')?.startsWith('text/event-stream')) {
      await tell(`event: refused\ndata: ${answer?.status ?? 404}`);
      return void answer?.body?.cancel();
    }
    await passOn(answer, control.signal, tell);
    await tell('event: ended\ndata:');
  }
}

/** Message by message, until either side ends. */
async function passOn(answer: Response, signal: AbortSignal, tell: (message: string) => unknown): Promise<void> {
  const reader = answer.body?.getReader();
  if (!reader) return;
  signal.addEventListener('abort', () => void reader.cancel());
  if (signal.aborted) void reader.cancel();
  const decoder = new TextDecoder();
  let held = '';
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const messages = (held + decoder.decode(read.value, { stream: true })).split('\n\n');
    held = messages.pop() ?? '';
    for (const message of messages) await tell(message);
  }
}

/** As the browser would ask for the page's own stream; null for any other address. `held`: it hears all of it at its end. */
function requestFor(c: Context, address: string, last: string, held: boolean): Request | null {
  const root = new URL('..', c.req.url).href;
  if (!URL.canParse(address, root)) return null;
  const url = new URL(address, root);
  if (!url.href.startsWith(root) || !/(?:^|\/)events$/.test(url.pathname)) return null;
  if (held) url.searchParams.set('held', '');
  const headers = new Headers(c.req.raw.headers);
  headers.set('Accept', 'text/event-stream');
  headers.delete('Accept-Encoding');
  if (last) headers.set('Last-Event-ID', last);
  return new Request(url.href, { headers });
}
