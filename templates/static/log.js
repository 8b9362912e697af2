/*
 * The page of a log: follows its end, loads what lies above and below, searches the whole of it, steps through errors, picks
 * lines. Without it the page has links to its parts, and a search that lists where the words stand.
 */
import { count, createFinder } from './logFinder.js';
import { button, createRows } from './logRows.js';

/** @typedef {import('../../sidecar/sessions/products/logFacts.js').LogRow} Row */
/** @typedef {import('../../sidecar/sessions/products/logFacts.js').LogRows} Rows */

const AT_ONCE = 500;
const box = /** @type {HTMLElement} */ (document.getElementById('rows'));
const section = /** @type {HTMLElement} */ (box.closest('section'));
const rows = createRows(box);
let total = Number(box.dataset.total);
let errors = Number(box.dataset.errors);
/** Lines that arrived below what is read. */
let unread = 0;
/** Only one request for lines at a time. @type {Promise<void> | null} */
let loading = null;

const size = /** @type {HTMLElement} */ (document.getElementById('size'));
const toEnd = button('to-end', '', () => void showEnd());
toEnd.hidden = true;
section.append(toEnd);
const spoken = document.createElement('p');
spoken.className = 'unseen';
spoken.setAttribute('role', 'status');
section.append(spoken);
section.querySelector('nav.pages')?.remove();

const isLive = () => rows.last() >= total;
const atEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < 24;

document.querySelector('[data-stream]')?.addEventListener('log', (event) => {
  const {
    rows: fresh,
    total: now,
    reset,
  } = JSON.parse(/** @type {CustomEvent<{ data: string }>} */ (event).detail.data);
  const follow = isLive() && atEnd();
  const before = total;
  total = now;
  // A large log had not been counted when the page was drawn.
  if (before === 0) void readLandmarks();
  else errors += fresh.filter((/** @type {Row} */ { n, kind }) => kind === 'error' && n > before).length;
  if (reset && (follow || rows.first() === 0)) rows.show(fresh);
  // What is read in the middle stays; the end is loaded when it is wanted.
  else if (!reset && rows.last() >= fresh[0].n - 1 && rows.count() < 4000 + AT_ONCE) rows.append(fresh);
  if (follow || rows.last() === 0) {
    rows.trimTop(2000);
    box.scrollTop = box.scrollHeight;
  } else unread += Math.max(0, total - before);
  say();
});

box.addEventListener('scroll', () => {
  if (box.scrollTop < 400) void loadOlder();
  if (box.scrollHeight - box.scrollTop - box.clientHeight < 400 && !isLive()) void loadNewer();
  if (isLive() && atEnd()) unread = 0;
  say();
});

/** Errors, and where the attempts begin, in all of the log. */
async function readLandmarks() {
  const answer = await fetch('log/landmarks', { headers: { Accept: 'application/json' } }).catch(() => null);
  // silent: without contact the page says so
  if (!answer?.ok) return;
  const { errorCount, attempts } = await answer.json();
  errors = errorCount;
  for (const { number, line } of attempts) {
    const name = section.querySelector(`[data-attempt="${number}"]:not([href])`);
    if (name) name.setAttribute('href', `?line=${line}#L${line}`);
  }
  say();
}

function say() {
  if (total > 0) size.textContent = `${count(total)} ${total === 1 ? 'line' : 'lines'}`;
  toEnd.hidden = isLive() && atEnd();
  toEnd.textContent = unread > 0 ? `${count(unread)} new ${unread === 1 ? 'line' : 'lines'} ↓` : 'To the end ↓';
  finder.sayErrors(errors);
}

// A reader who cannot see the page hears how much is new, not each line.
setInterval(() => {
  const words = unread > 0 ? toEnd.textContent?.replace(' ↓', '') : '';
  if (words && spoken.textContent !== words) spoken.textContent = words;
}, 15_000);

/** @param {number} from @param {number} lines @returns {Promise<Rows>} */
async function ask(from, lines) {
  const answer = await fetch(`log?from=${from}&lines=${lines}`, { headers: { Accept: 'application/json' } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

/** @param {() => Promise<void>} work */
function once(work) {
  loading ??= work()
    .catch(() => {
      size.textContent = 'No contact: these lines could not be loaded. Scroll to try again.';
    })
    .finally(() => {
      loading = null;
    });
  return loading;
}

function loadOlder() {
  return once(async () => {
    // A stretch of folded bars is no taller than a line: some more, so that there is something to scroll.
    for (let round = 0; round < 6 && rows.first() > 1 && box.scrollTop < 400; round += 1) {
      const from = Math.max(1, rows.first() - AT_ONCE);
      const older = (await ask(from, rows.first() - from)).rows;
      if (older.length === 0) return;
      const below = box.scrollHeight - box.scrollTop;
      rows.prepend(older);
      box.scrollTop = box.scrollHeight - below;
      if (!isLive() || !atEnd()) rows.trimBottom(4000);
    }
  });
}

function loadNewer() {
  return once(async () => {
    const answer = await ask(rows.last() + 1, AT_ONCE);
    total = Math.max(total, answer.total);
    if (answer.rows.length === 0) return;
    rows.append(answer.rows);
    const below = box.scrollHeight - box.scrollTop;
    rows.trimTop(4000);
    box.scrollTop = box.scrollHeight - below;
  });
}

async function showEnd() {
  if (!isLive()) {
    await loading;
    await once(async () => {
      const answer = await ask(-AT_ONCE, AT_ONCE);
      total = answer.total;
      rows.show(answer.rows);
    });
  }
  unread = 0;
  box.scrollTop = box.scrollHeight;
  box.focus({ preventScroll: true });
  say();
}

/** Shows a line in the middle of the box. @param {number} n */
async function goTo(n) {
  if (!rows.element(n)) {
    await loading;
    await once(async () => {
      const answer = await ask(Math.max(1, n - AT_ONCE / 2), AT_ONCE);
      total = answer.total;
      rows.show(answer.rows);
    });
  }
  rows.mark(finder.words(), n);
  const element = rows.element(n);
  if (element)
    box.scrollTop += element.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 3;
  say();
}

/** The line in the upper part of what is seen. */
function lineHere() {
  const here = section.querySelector('.rows > .here');
  if (here) return rows.numberOf(here);
  const { left, top } = box.getBoundingClientRect();
  const element = document.elementFromPoint(left + 4, top + 8)?.closest('.rows > div');
  return element ? rows.numberOf(element) : 0;
}

const finder = createFinder({ section, rows, goTo, lineHere });
box.addEventListener('click', (event) => {
  const states = event.target instanceof Element && event.target.closest('.states');
  if (!states) return;
  event.preventDefault();
  box.classList.add('all');
});
const hash = /^#L(\d+)/.exec(location.hash);
const asked = Number(hash?.[1] ?? box.dataset.line ?? 0);
// Rows have their heights once all of the page has arrived.
const arrived = new Promise((resolve) => {
  if (document.readyState === 'complete') resolve(null);
  else addEventListener('load', resolve);
});
if (asked > 0) void arrived.then(() => goTo(asked)).then(finder.pickAsked);
else if (!new URLSearchParams(location.search).has('from')) box.scrollTop = box.scrollHeight;
rows.mark(finder.words(), asked);
say();
