/*
 * A part of trackside.js. The page's stream: what it brings is put into the page, or told to whoever listens on the main element. It
 * comes over the browser's one connection (streams.js). Says when there is no contact, and how old everything is then.
 */
const main = /** @type {HTMLElement | null} */ (document.querySelector('[data-stream]'));
const notice = /** @type {HTMLElement} */ (document.getElementById('contact'));
/** @type {Record<number, string>} By HTTP status. */
const refusals = {
  401: 'You are logged out. Reload this page to log in. Trainings keep running.',
  404: "Not found: this session was deleted or renamed, or Trackside isn't running.",
  503: 'Too many pages are open, so this one is not updated. Close some of them.',
};
const SILENT_MS = 45_000;
/** @type {MessagePort | null} */
let port = null;
let isShared = 'SharedWorker' in globalThis;
let last = '';
let heardAt = Date.now();
let failures = 0;
/** Tries that could not even be made, before anything was heard. */
let unanswered = 0;
let hasHeard = false;
/** One message after the other. */
let work = Promise.resolve();

if (main) begin(main);

/** @param {HTMLElement} main */
function begin(main) {
  void join(main);
  addEventListener('pagehide', leave);
  addEventListener('pageshow', ({ persisted }) => persisted && join(main));
  // A frozen page hears nothing, and what is sent to it would heap up.
  document.addEventListener('freeze', leave);
  document.addEventListener('resume', () => join(main));
  document.addEventListener('visibilitychange', () => {
    // A machine that slept has a moment to come back.
    heardAt = Math.max(heardAt, Date.now() - SILENT_MS + 10_000);
    if (isShared) port?.postMessage('shown');
    // Without a shared worker each page has a connection of its own, and a browser opens six: a hidden page lets go.
    else if (document.hidden && !mayNotify()) leave();
    else if (!document.hidden && !port) void join(main);
  });
  setInterval(() => {
    const silent = Date.now() - heardAt;
    if (port && silent >= SILENT_MS) sayNoContact();
  }, 1000);
  // The worker may have been ended by the browser.
  setInterval(() => port && Date.now() - heardAt >= SILENT_MS && join(main), SILENT_MS);
}

function mayNotify() {
  return globalThis.Notification?.permission === 'granted';
}

/** @param {HTMLElement} main */
async function join(main) {
  leave();
  const mine = await openPort(main);
  port = mine;
  mine.onmessage = ({ data }) => {
    if (mine !== port) return;
    if (data.lost === 0 && !hasHeard) unanswered += 1;
    if (isShared && unanswered > 1) {
      // A worker may not be allowed what the page is: an exception for a certificate, say. One try may have been cut.
      isShared = false;
      void join(main);
    } else if (data.lost !== undefined) lost(data.lost);
    else hear(main, data);
  };
  mine.postMessage({ join: new URL(main.dataset.stream ?? '', location.href).href, last });
}

function leave() {
  port?.postMessage('leave');
  port = null;
}

/** @param {HTMLElement} main @returns {Promise<MessagePort>} */
async function openPort(main) {
  const script = new URL(main.dataset.streams ?? '', location.href).href;
  if (isShared) {
    const worker = new SharedWorker(script, { type: 'module' });
    // A browser may know no modules there, or not load them with an exception that was made for this page alone.
    worker.addEventListener('error', () => {
      isShared = false;
      void join(main);
    });
    return worker.port;
  }
  const { port1, port2 } = new MessageChannel();
  (await import(script)).join(port1);
  return port2;
}

/**
 * @param {HTMLElement} main
 * @param {{ event: string, data: string, id: string }} message
 */
function hear(main, { event, data, id }) {
  heardAt = Date.now();
  hasHeard = true;
  failures = 0;
  if (notice.textContent) notice.textContent = '';
  document.documentElement.classList.remove('stale');
  last = id || last;
  work = work.then(() => {
    if (event) main.dispatchEvent(new CustomEvent(event, { detail: { data } }));
    else return swap(main, data);
  });
}

/**
 * Puts what changed into the page. The keyboard's place stays: where its button is gone it goes to the next one there.
 *
 * @param {HTMLElement} main
 * @param {string} text
 */
async function swap(main, text) {
  const held = document.activeElement;
  const places = [];
  for (let at = held?.closest('main [id]'); at; at = at.parentElement?.closest('main [id]')) places.push(at.id);
  await htmx.swap({ text, sourceElement: main, target: main, swap: 'none swapEmpty:false' });
  if (places.length === 0 || document.activeElement !== document.body) return;
  const place = places.map((id) => document.getElementById(id)).find((each) => each !== null);
  const next = place?.querySelector('button:enabled, a[href], summary') ?? place;
  if (!(next instanceof HTMLElement)) return;
  if (next === place) next.tabIndex = -1;
  next.focus({ preventScroll: true });
}

/** @param {number | null} status Of a try; 0 or null where nothing answered. */
function lost(status) {
  failures += 1;
  const words = refusals[status ?? 0];
  if (words) notice.textContent = words;
  // That a stream was cut is no news: a proxy does so every 100 s, and the next one begins at once.
  if (failures > 1) sayNoContact();
}

function sayNoContact() {
  const at = new Date(heardAt);
  notice.textContent ||= `No contact since ${at.toLocaleTimeString([], { hour12: false })}. Trainings keep running.`;
  const root = document.documentElement;
  root.style.setProperty(
    '--as-of',
    `" as of ${at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false })}"`,
  );
  root.classList.add('stale');
}

main?.addEventListener('title', (event) => {
  document.title = /** @type {CustomEvent<{ data: string }>} */ (event).detail.data;
});
