/* The rows of a log in the page: as templates/parts/rows.eta draws them, and each by its number. */

/** @typedef {import('../../sidecar/sessions/products/logFacts.js').LogRow} Row */

/** @param {HTMLElement} box */
export function createRows(box) {
  let marked = '';
  const children = () => /** @type {HTMLElement[]} */ ([...box.children]);

  /** @param {Row[]} rows */
  function elements(rows) {
    const fragment = document.createDocumentFragment();
    for (const row of rows) fragment.append(elementOf(row, marked));
    return fragment;
  }

  /** Older states of a bar are folded into the newest. @param {Element | null} element */
  function fold(element) {
    const next = element?.nextElementSibling;
    if (!element) return;
    element.classList.toggle(
      'old',
      element.classList.contains('is-bar') && Boolean(next?.classList.contains('is-bar')),
    );
    element.querySelector('.states')?.parentElement?.remove();
  }

  /** How many states the bar at the end of a stretch had. @param {Element} element */
  function countStates(element) {
    if (!element.classList.contains('is-bar') || element.classList.contains('old')) return;
    let states = 0;
    for (let each = element.previousElementSibling; each?.classList.contains('old'); each = each.previousElementSibling)
      states += 1;
    element.querySelector('.states')?.parentElement?.remove();
    if (states === 0) return;
    const small = document.createElement('small');
    small.append(button('states', states === 1 ? '1 earlier state' : `${states} earlier states`, () => {}));
    element.append(small);
  }

  /** From one row on to the end of the bars there. @param {Element | null} first @param {number} count */
  function foldFrom(first, count) {
    let each = first;
    for (let left = count; each && left > 0; left -= 1) {
      fold(each);
      each = each.nextElementSibling;
    }
    while (each?.classList.contains('old')) each = each.nextElementSibling;
    for (let back = each ?? box.lastElementChild, left = count + 1; back && left > 0; left -= 1) {
      countStates(back);
      back = back.previousElementSibling;
    }
  }

  for (const time of /** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll('time'))) localise(time);

  return {
    count: () => box.childElementCount,
    first: () => numberOf(box.firstElementChild),
    last: () => numberOf(box.lastElementChild),
    numberOf,
    /** @param {number} n @returns {HTMLElement | null} */
    element: (n) => box.querySelector(`:scope > #L${n}`),
    /** Instead of all others. @param {Row[]} rows */
    show(rows) {
      box.replaceChildren(elements(rows));
      foldFrom(box.firstElementChild, rows.length);
    },
    /** Behind the others; one of the same number is replaced. @param {Row[]} rows */
    append(rows) {
      const last = box.lastElementChild;
      if (rows[0] && numberOf(last) === rows[0].n) last?.remove();
      const before = box.lastElementChild;
      box.append(elements(rows));
      foldFrom(before ?? box.firstElementChild, rows.length + 1);
    },
    /** @param {Row[]} rows */
    prepend(rows) {
      box.prepend(elements(rows));
      foldFrom(box.firstElementChild, rows.length + 1);
    },
    /** @param {number} most */
    trimTop(most) {
      while (box.childElementCount > most) box.firstElementChild?.remove();
    },
    /** @param {number} most */
    trimBottom(most) {
      while (box.childElementCount > most) box.lastElementChild?.remove();
    },
    /** Marks words in all rows, and the row of the present match. @param {string} words @param {number} here */
    mark(words, here) {
      const changed = words !== marked;
      marked = words;
      for (const element of children()) {
        element.classList.toggle('here', here > 0 && numberOf(element) === here);
        if (changed) markIn(/** @type {HTMLElement} */ (element.querySelector('code')), words);
      }
    },
    /** @param {number} from @param {number} to */
    pick(from, to) {
      for (const element of children()) {
        const n = numberOf(element);
        element.classList.toggle('picked', n >= from && n <= to);
      }
    },
  };
}

/** @param {Element | null} element @returns {number} 0 for none */
function numberOf(element) {
  return Number(element?.id.slice(1) ?? 0);
}

/** @param {Row} row @param {string} words */
function elementOf({ n, text, cut, kind, step, arrived_at: at }, words) {
  const element = document.createElement('div');
  element.id = `L${n}`;
  if (kind) element.className = `is-${kind}`;
  const link = document.createElement('a');
  link.href = `?line=${n}#L${n}`;
  link.tabIndex = -1;
  link.dataset.n = String(n);
  link.setAttribute('aria-label', `line ${n}`);
  const code = document.createElement('code');
  code.textContent = text;
  if (words) markIn(code, words);
  element.append(link, ...(at === null ? [] : [timeOf(at)]), code);
  const notes = [
    step === null ? '' : `step ${step} of the training`,
    cut === 0 ? '' : `${Math.ceil(cut / 1000)} kB more in this line`,
  ].filter(Boolean);
  if (notes.length > 0) {
    const small = document.createElement('small');
    small.textContent = notes.join(' · ');
    element.append(small);
  }
  return element;
}

/** Seconds in the reader's own zone, which the other times of a page do not have. @param {HTMLElement} time */
function localise(time) {
  const then = new Date(time.dataset.at ?? '');
  time.textContent = then.toLocaleTimeString([], { hour12: false });
  time.title = then.toLocaleString();
}

/** @param {string} at */
function timeOf(at) {
  const element = document.createElement('time');
  element.dataset.at = at;
  localise(element);
  return element;
}

/** @param {HTMLElement} code @param {string} words */
function markIn(code, words) {
  const text = code.textContent ?? '';
  const lower = text.toLowerCase();
  const needle = words.toLowerCase();
  // Some letters change their number when they become small ones.
  if (!needle || !lower.includes(needle) || lower.length !== text.length) {
    if (code.childElementCount > 0) code.textContent = text;
    return;
  }
  code.replaceChildren();
  let at = 0;
  for (let next = lower.indexOf(needle); next >= 0; next = lower.indexOf(needle, at)) {
    const mark = document.createElement('mark');
    mark.textContent = text.slice(next, next + needle.length);
    code.append(text.slice(at, next), mark);
    at = next + needle.length;
  }
  code.append(text.slice(at));
}

/**
 * @param {string} className @param {string} text @param {(event: MouseEvent) => void} act
 * @param {string} [label] Said instead of the text.
 */
export function button(className, text, act, label) {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = className;
  made.textContent = text;
  if (label) made.setAttribute('aria-label', label);
  made.addEventListener('click', act);
  return made;
}
