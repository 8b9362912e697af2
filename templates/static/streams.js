/*
 * A browser's one connection, over which the streams of all its tabs come (sidecar/routes/streams.ts): a shared worker, or part
 * of a page where there are none. A tab posts `{ join, last }`, 'leave', or 'shown' into its port; it hears `{ event, data, id }`, and
 * `{ lost }` for each try that failed: an HTTP status, 0 where nothing could be asked, or null where it was given up.
 */
/** @typedef {{ port: MessagePort, address: string, last: string }} Tab */

/** Of the site: this script lies in assets/. */
const root = new URL('..', import.meta.url).href;
const id = name();
/** @type {Map<string, Tab>} */
const tabs = new Map();
/** Those that the open connection serves. */
let served = new Set();
let connection = new AbortController();
let isOpen = false;
let running = false;
let heardAt = 0;
/** A proxy holds answers back until they end: only short ones arrive. */
let short = false;
let failures = 0;
let resume = () => {};
/** @type {ReturnType<typeof setTimeout>} */
let due;
/** @type {ReturnType<typeof setTimeout>} */
let silence;

/** The server beats every 10 s. */
const BEAT_MS = 12_000;
const SILENT_MS = 25_000;
/** The first message of a connection comes at once. */
const DEAF_MS = 10_000;
const LONGEST_PAUSE_MS = 3000;

addEventListener('connect', (event) => join(/** @type {MessageEvent} */ (event).ports[0]));
addEventListener('online', () => resume());

/** @param {MessagePort} port */
export function join(port) {
  const tab = name();
  port.onmessage = ({ data }) => {
    if (data === 'shown') return wake();
    if (data === 'leave') tabs.delete(tab);
    else {
      tabs.set(tab, { port, address: data.join.slice(root.length), last: data.last });
      resume();
    }
    clearTimeout(due);
    // A tab that left is often one that comes back with another page.
    due = setTimeout(() => void change(), data === 'leave' ? 500 : 20);
  };
}

/** Random, and so even on plain http, where there is no crypto.randomUUID. */
function name() {
  return [...crypto.getRandomValues(new Uint32Array(3))].map((each) => each.toString(36)).join('');
}

/** A machine that slept finds a connection that nobody ended. */
function wake() {
  if (isOpen && Date.now() - heardAt > BEAT_MS) connection.abort();
  resume();
}

async function change() {
  if (tabs.size === 0) return connection.abort();
  if (!running) return keepOpen();
  if (!isOpen) return;
  const add = [...tabs].filter(([tab]) => !served.has(tab));
  const drop = [...served].filter((tab) => !tabs.has(tab));
  served = new Set(tabs.keys());
  if (add.length + drop.length === 0) return;
  const mine = connection;
  const sent = await fetch(`${root}streams/${id}`, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ add: add.map(asked), drop }),
    signal: AbortSignal.timeout(DEAF_MS),
  }).catch(() => null);
  if (!sent?.ok) mine.abort();
}

/** @param {[string, Tab]} of */
function asked([tab, { address, last }]) {
  return { tab, address, last };
}

async function keepOpen() {
  running = true;
  while (tabs.size > 0) {
    connection = new AbortController();
    const began = performance.now();
    heardAt = 0;
    const status = await listen().catch(() => 0);
    const wasOpen = isOpen;
    isOpen = false;
    clearTimeout(silence);
    // In a short answer that is not held back the first words come at once.
    const { aborted, reason } = connection.signal;
    short = short ? !(heardAt > 0 && firstAt - began < 2000) : reason === DEAF_MS;
    failures = wasOpen ? 0 : failures + 1;
    if (!wasOpen) for (const { port } of tabs.values()) port.postMessage({ lost: aborted ? null : status });
    if (short && heardAt > 0) continue;
    await pause(Math.min(LONGEST_PAUSE_MS, 250 * 1.5 ** failures));
  }
  running = false;
}

let firstAt = 0;

/** Until the answer ends. Resolves to its HTTP status. */
async function listen() {
  served = new Set(tabs.keys());
  const pages = encodeURIComponent(JSON.stringify([...tabs].map(asked)));
  watch(short ? SILENT_MS : DEAF_MS);
  const answer = await fetch(`${root}streams/${id}?${short ? 'short&' : ''}pages=${pages}`, {
    headers: { Accept: 'text/event-stream' },
    cache: 'no-store',
    signal: connection.signal,
  });
  if (!answer.ok || !answer.body) return answer.status;
  isOpen = true;
  void change();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    firstAt = heardAt === 0 ? performance.now() : firstAt;
    heardAt = Date.now();
    watch(SILENT_MS);
    const messages = (text + read.value).split('\n\n');
    text = messages.pop() ?? '';
    messages.forEach(pass);
  }
  return answer.status;
}

/** @param {number} milliseconds */
function watch(milliseconds) {
  const mine = connection;
  clearTimeout(silence);
  silence = setTimeout(() => mine.abort(milliseconds), milliseconds);
}

/** @param {string} message */
function pass(message) {
  const lines = message.split('\n').map((line) => /^(\w+): ?(.*)/.exec(line) ?? []);
  const all = (/** @type {string} */ field) =>
    lines.flatMap(([, name, value]) => (name === field ? [value] : [])).join('\n');
  const said = { tab: all('tab'), event: all('event'), id: all('id'), data: all('data') };
  const tab = tabs.get(said.tab);
  if (!tab || !served.has(said.tab)) return;
  if (said.id) tab.last = said.id;
  if (said.event === 'refused' || said.event === 'ended') {
    // Once more, until the page goes away: a session may come back, and so may a login.
    served.delete(said.tab);
    setTimeout(() => void change(), LONGEST_PAUSE_MS);
    if (said.event === 'refused') tab.port.postMessage({ lost: Number(said.data) });
  } else tab.port.postMessage(said);
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => {
    resume = () => resolve(null);
    setTimeout(resume, milliseconds);
  });
}
