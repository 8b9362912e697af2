/*
 * The page of samples: a viewer with arrows by step and by prompt, one slider over all steps, two pictures with a divider, the
 * best one, and one picture to keep of all. Without it the page is a table of pictures, each a link.
 */

import { drawSheet } from './sampleSheet.js';
import { readTable } from './sampleTable.js';

/** @typedef {import('./sampleTable.js').Sample} Sample */

const table = /** @type {HTMLTableElement | null} */ (document.querySelector('.gallery .grid'));
const facts = /** @type {HTMLElement} */ (document.querySelector('.gallery'));
const dialog = /** @type {HTMLDialogElement} */ (document.getElementById('viewer'));
const picture = /** @type {HTMLImageElement} */ (dialog.querySelector('.shown-picture'));
const other = /** @type {HTMLImageElement} */ (dialog.querySelector('.other-picture'));
const caption = /** @type {HTMLElement} */ (dialog.querySelector('.caption'));
const divider = /** @type {HTMLInputElement} */ (dialog.querySelector('.divider'));
const against = /** @type {HTMLSelectElement} */ (dialog.querySelector('.against'));
const best = /** @type {HTMLButtonElement} */ (dialog.querySelector('.best'));
/** Rows of steps, newest first; in each a place for every prompt. @type {(Sample | null)[][]} */
let rows = [];
/** @type {Sample | null} */
let shown = null;

if (table) {
  rows = readTable(table);
  document.addEventListener('samples', () => {
    rows = readTable(table);
    shown = rows.flat().find((each) => each?.name === shown?.name) ?? null;
  });
  table.addEventListener('click', (event) => {
    const link = event.target instanceof Element && event.target.closest('td a');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const cell = /** @type {HTMLTableCellElement} */ (link.closest('td'));
    const row = /** @type {HTMLTableRowElement} */ (cell.parentElement);
    const sample = rows[row.sectionRowIndex]?.[cell.cellIndex - 1];
    if (sample) show(sample);
  });
  addSlider();
  addSheet();
}

/** @param {Sample} sample */
function show(sample) {
  shown = sample;
  picture.src = sample.href;
  picture.alt = `${sample.label}: ${sample.prompt}`;
  const words = [
    sample.label,
    sample.lost ? 'discarded: trained again later' : '',
    sample.seed && `seed ${sample.seed}`,
  ];
  const right = against.selectedOptions[0];
  const compared = right?.value
    ? `\nOn the right: ${/** @type {HTMLElement} */ (right.parentElement).dataset.title} · ${right.text}`
    : '';
  caption.textContent = `${words.filter(Boolean).join(' · ')} · ${facts.dataset.title}\n${sample.prompt}${compared}`;
  best.setAttribute('aria-pressed', String(facts.dataset.best === sample.name));
  best.textContent = facts.dataset.best === sample.name ? '★ Best' : '☆ Mark as best';
  if (!dialog.open) dialog.showModal();
  for (const each of [neighbour(1, 0), neighbour(-1, 0)]) if (each) new Image().src = each.href;
}

/** The next picture that exists in a direction. @param {number} down To older steps. @param {number} right @returns {Sample | null} */
function neighbour(down, right) {
  if (!shown) return null;
  let [row, column] = [shown.row + down, shown.column + right];
  while (rows[row] && column >= 0 && column < (rows[row]?.length ?? 0)) {
    const found = rows[row]?.[column];
    if (found) return found;
    row += down;
    column += right;
  }
  return null;
}

/** @param {number} down @param {number} right */
function move(down, right) {
  const next = neighbour(down, right);
  if (next) show(next);
}

dialog.addEventListener('keydown', (event) => {
  if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => move(1, 0),
    ArrowRight: () => move(-1, 0),
    ArrowUp: () => move(0, -1),
    ArrowDown: () => move(0, 1),
  };
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
for (const [name, down, right] of /** @type {[string, number, number][]} */ ([
  ['older', 1, 0],
  ['newer', -1, 0],
  ['prompt-before', 0, -1],
  ['prompt-after', 0, 1],
])) {
  dialog.querySelector(`.${name}`)?.addEventListener('click', () => move(down, right));
}
dialog.querySelector('.close')?.addEventListener('click', () => dialog.close());
dialog.addEventListener('click', ({ target }) => {
  if (target === dialog) dialog.close();
});
dialog.addEventListener('close', () => {
  if (shown) link(shown)?.focus();
});

/** @param {Sample} sample @returns {HTMLElement | null} */
function link({ row, column }) {
  return table?.tBodies[0]?.rows[row]?.cells[column + 1]?.querySelector('a') ?? null;
}

// Two pictures with a divider: of any step, of this version or another one
against.addEventListener('change', () => {
  const [option] = against.selectedOptions;
  const address = option?.value ?? '';
  dialog.classList.toggle('two', address !== '');
  if (shown) show(shown);
  if (address === '') return;
  other.src = address;
  other.alt = option?.textContent ?? '';
  setDivider();
});
divider.addEventListener('input', setDivider);

function setDivider() {
  other.style.setProperty('--divided', `${divider.value}%`);
}

against.addEventListener('focus', () => void fillAgainst(), { once: true });

async function fillAgainst() {
  const own = versionOf(facts.dataset.title ?? '');
  for (const row of rows) for (const sample of row) if (sample) offer(own, sample.label, sample.prompt, sample.href);
  for (const { name, label } of JSON.parse(facts.dataset.versions ?? '[]')) {
    const at = `../${encodeURIComponent(name)}/samples`;
    const answer = await fetch(at, { headers: { Accept: 'application/json' } });
    if (!answer.ok) continue;
    /** @type {{ name: string, epoch: number | null, step: number | null, prompt: number }[]} */
    const samples = await answer.json();
    const theirs = versionOf(label);
    for (const { name: file, epoch, step, prompt } of samples) {
      const when = epoch !== null ? `epoch ${epoch}` : step !== null ? `step ${step}` : 'at start';
      offer(theirs, when, rows[0]?.[prompt]?.prompt ?? `prompt ${prompt + 1}`, `${at}/${encodeURIComponent(file)}`);
    }
  }
}

/** A group of the list. @param {string} title */
function versionOf(title) {
  const group = document.createElement('optgroup');
  group.label = group.dataset.title = title;
  against.append(group);
  return group;
}

/** @param {HTMLOptGroupElement} version @param {string} when @param {string} prompt @param {string} address */
function offer(version, when, prompt, address) {
  version.append(new Option(`${when} · ${prompt.slice(0, 40)}`, address));
}

best.addEventListener('click', async () => {
  if (!shown) return;
  const name = facts.dataset.best === shown.name ? '' : shown.name;
  best.disabled = true;
  try {
    const answer = await fetch(`../${encodeURIComponent(facts.dataset.session ?? '')}`, {
      method: 'PATCH',
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      body: JSON.stringify({ best_sample: name }),
    });
    if (!answer.ok) throw new Error(String(answer.status));
    facts.dataset.best = name;
    for (const each of table?.querySelectorAll('a[data-best]') ?? []) each.removeAttribute('data-best');
    if (name) link(shown)?.setAttribute('data-best', '');
    show(shown);
  } catch {
    best.textContent = 'Not saved: no contact. Try again';
  } finally {
    best.disabled = false;
  }
});

/** One slider over the steps of all prompts. */
function addSlider() {
  const box = document.getElementById('over');
  if (!box) return;
  const range = /** @type {HTMLInputElement} */ (box.querySelector('input'));
  const label = /** @type {HTMLOutputElement} */ (box.querySelector('output'));
  const images = [...box.querySelectorAll('img')];
  images.forEach((image, column) => {
    image.addEventListener('click', () => {
      const sample = rows[rows.length - 1 - Number(range.value)]?.[column];
      if (sample) show(sample);
    });
  });
  const set = () => {
    // Oldest left, newest right.
    const row = rows[rows.length - 1 - Number(range.value)] ?? [];
    const first = row.find((each) => each !== null);
    label.value = first ? `${first.label}${first.lost ? ' · discarded' : ''}` : '';
    range.setAttribute('aria-valuetext', label.value);
    images.forEach((image, column) => {
      const sample = row[column];
      image.hidden = !sample;
      if (!sample) return;
      image.src = `${sample.href}?size=thumb`;
      image.alt = `${sample.label}: ${sample.prompt}`;
    });
  };
  range.addEventListener('input', set);
  // The place stays where it is, or at the newest step.
  document.addEventListener('samples', () => {
    const atEnd = range.value === range.max;
    range.max = String(rows.length - 1);
    if (atEnd) range.value = range.max;
    set();
  });
}

/** All prompts and steps, and those of other versions with the same seed, as one picture to keep. */
function addSheet() {
  const make = /** @type {HTMLButtonElement} */ (document.getElementById('sheet'));
  make.addEventListener('click', async () => {
    make.disabled = true;
    const before = make.textContent;
    make.textContent = 'Drawing…';
    try {
      await drawSheet(rows, facts.dataset);
      make.textContent = before;
    } catch {
      make.textContent = 'Not saved: a picture did not arrive. Try again';
    } finally {
      make.disabled = false;
    }
  });
}
