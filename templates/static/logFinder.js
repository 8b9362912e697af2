/* Finds a place in a log: search over the whole of it, the next and the last error, lines that are picked and copied. */
import { button } from './logRows.js';

/**
 * @typedef {{ matches: number, searched: number, bytes: number, before: number, earlier: number, previous: number | null, first: number | null,
 *   last: number | null, lines: number[] }} Found
 */

/**
 * @param {{ section: HTMLElement, rows: ReturnType<typeof import('./logRows.js').createRows>,
 *   goTo: (n: number) => Promise<void>, lineHere: () => number }} log
 */
export function createFinder({ section, rows, goTo, lineHere }) {
  const form = /** @type {HTMLFormElement} */ (section.querySelector('form'));
  const input = /** @type {HTMLInputElement} */ (form.elements.namedItem('q'));
  const found = /** @type {HTMLOutputElement} */ (document.getElementById('found'));
  const box = /** @type {HTMLElement} */ (document.getElementById('rows'));
  let words = input.value.trim();
  let searching = new AbortController();
  /** One step after the other, however fast they are asked for. @type {Promise<void>} */
  let steps = Promise.resolve();

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    search(1);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !event.shiftKey) return;
    event.preventDefault();
    search(-1);
  });
  input.addEventListener('input', () => {
    if (input.value === '') clear();
  });
  section.querySelector('.hits')?.remove();

  /** @param {1 | -1} way */
  function search(way) {
    const isNew = input.value.trim() !== words;
    words = input.value.trim();
    if (isNew) {
      searching.abort();
      searching = new AbortController();
    }
    const { signal } = searching;
    if (words === '') clear();
    else steps = steps.then(() => step(way, isNew, signal));
  }

  /** @param {1 | -1} way @param {boolean} isNew @param {AbortSignal} signal */
  async function step(way, isNew, signal) {
    const slow = setTimeout(() => {
      found.textContent = 'Searching…';
    }, 300);
    try {
      const here = isNew ? lineHere() - 1 : lineHere();
      const { matches, before, earlier, previous, first, last, lines } = await searchAll(here, signal);
      const next = lines[0] ?? null;
      const line = way > 0 ? (next ?? first) : (previous ?? last);
      if (line === null) {
        rows.mark('', 0);
        found.textContent = 'Not found.';
        return;
      }
      const place = way > 0 ? (next === null ? 1 : before + 1) : previous === null ? matches : earlier;
      await goTo(line);
      found.textContent = `${count(place)} of ${count(matches)}`;
    } catch {
      if (!signal.aborted) found.textContent = 'The search did not reach Trackside. Try again.';
    } finally {
      clearTimeout(slow);
    }
  }

  /** A search of gigabytes is answered after some seconds with what it has found, and asked to go on. */
  async function searchAll(/** @type {number} */ here, /** @type {AbortSignal} */ signal) {
    for (;;) {
      /** @type {Found} */
      const answer = await ask(`log?search=${encodeURIComponent(words)}&after=${here}`, signal);
      const { matches, searched, bytes } = answer;
      if (searched >= bytes) return answer;
      const part = Math.floor((100 * searched) / bytes);
      found.textContent = `Searching… ${part} %${matches > 0 ? `, ${count(matches)} found` : ''}`;
    }
  }

  function clear() {
    words = '';
    found.textContent = '';
    rows.mark('', 0);
  }

  // Errors
  const errors = /** @type {HTMLElement} */ (section.querySelector('.errors'));
  const sum = /** @type {HTMLElement} */ (errors.querySelector('span'));
  errors.querySelector('.back')?.addEventListener('click', () => void toError(-1));
  errors.querySelector('.on')?.addEventListener('click', () => void toError(1));
  /** @param {1 | -1} way */
  async function toError(way) {
    /** @type {{ errors: number[] }} */
    const { errors: lines } = await ask('log/landmarks');
    const here = lineHere();
    const line =
      way > 0 ? (lines.find((n) => n > here) ?? lines[0]) : (lines.findLast((n) => n < here) ?? lines.at(-1));
    if (line !== undefined) await goTo(line);
  }
  document.addEventListener('keydown', ({ key, target, ctrlKey, metaKey, altKey }) => {
    const typing = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
    if (key === 'Escape') setFull(false);
    if (typing || ctrlKey || metaKey || altKey) return;
    if (key === 'n' || key === 'N') void toError(1);
    if (key === 'p' || key === 'P') void toError(-1);
  });

  // Lines picked by their numbers, with the shift key a stretch of them
  const picks = document.createElement('span');
  picks.className = 'picks-bar';
  picks.hidden = true;
  const copy = button('small copy', 'Copy', () => {});
  const link = button('small copy', 'Copy link', () => {});
  const about = document.createElement('span');
  picks.append(about, ' ', copy, ' ', link);
  let [from, to] = [0, 0];
  box.addEventListener('click', (event) => {
    const number = event.target instanceof Element && event.target.closest('.rows > div > a');
    if (!(number instanceof HTMLElement)) return;
    event.preventDefault();
    const n = Number(number.dataset.n);
    if (n > 0)
      void pick(event.shiftKey && from > 0 ? Math.min(from, n) : n, event.shiftKey && from > 0 ? Math.max(from, n) : n);
  });
  /** @param {number} first @param {number} last */
  async function pick(first, last) {
    [from, to] = [first, Math.min(last, first + 4999)];
    rows.pick(from, to);
    const place = from === to ? `#L${from}` : `#L${from}-L${to}`;
    history.replaceState(null, '', `?line=${from}${place}`);
    about.textContent = from === to ? `Line ${from}` : `Lines ${from} to ${to}`;
    link.dataset.copy = location.href;
    picks.hidden = false;
    const answer = await ask(`log?from=${from}&lines=${to - from + 1}`);
    copy.dataset.copy = answer.rows.map((/** @type {{ text: string }} */ { text }) => text).join('\n');
  }

  // How it is shown
  const wrap = /** @type {HTMLElement} */ (section.querySelector('.wrap'));
  const when = /** @type {HTMLElement} */ (section.querySelector('.when'));
  const full = /** @type {HTMLElement} */ (section.querySelector('.fill'));
  wrap.addEventListener('click', () => setWrap(box.classList.contains('long')));
  when.addEventListener('click', () => setTimes(when.getAttribute('aria-pressed') === 'false'));
  full.addEventListener('click', () => setFull(!section.classList.contains('full')));
  /** @param {boolean} on */
  function setWrap(on) {
    box.classList.toggle('long', !on);
    wrap.setAttribute('aria-pressed', String(on));
    localStorage.setItem('trackside:log-wrap', on ? '1' : '0');
  }
  /** @param {boolean} on */
  function setTimes(on) {
    box.classList.toggle('with-times', on);
    box.classList.toggle('without-times', !on);
    when.setAttribute('aria-pressed', String(on));
    localStorage.setItem('trackside:log-times', on ? '1' : '0');
  }
  /** @param {boolean} on */
  function setFull(on) {
    section.classList.toggle('full', on);
    full.setAttribute('aria-pressed', String(on));
    full.textContent = on ? 'Leave full screen' : 'Full screen';
  }
  const times = localStorage.getItem('trackside:log-times');
  if (times !== null) setTimes(times === '1');
  else when.setAttribute('aria-pressed', String(innerWidth > 760));
  setWrap(localStorage.getItem('trackside:log-wrap') !== '0');
  section.querySelector('.matches .back')?.addEventListener('click', () => search(-1));
  section.querySelector('.matches .on')?.addEventListener('click', () => search(1));
  section.querySelector('.grow')?.before(picks);

  const range = /^#L(\d+)-L(\d+)$/.exec(location.hash);
  return {
    words: () => words,
    /** Picks the lines that the address names, once they are there. */
    pickAsked() {
      if (range) void pick(Number(range[1]), Number(range[2]));
    },
    /** @param {number} number */
    sayErrors(number) {
      errors.hidden = number === 0;
      sum.textContent = number === 1 ? '1 error' : `${count(number)} errors`;
    },
  };
}

/** @param {string} address @param {AbortSignal} [signal] */
async function ask(address, signal) {
  const answer = await fetch(address, { headers: { Accept: 'application/json' }, signal: signal ?? null });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

/** @param {number} n */
export function count(n) {
  // short: the digits of a number
  return String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}
