/*
 * New samples come into the page of samples while it is open: the first ones with the whole page, later ones into the slider, and
 * as rows that wait above the table until they are asked for: nothing moves under the reader.
 */

/** The newest one that was asked for. */
let newest = '';
let due = 0;

document.querySelector('[data-stream]')?.addEventListener('news', (event) => {
  const { sample } = JSON.parse(/** @type {CustomEvent<{ data: string }>} */ (event).detail.data);
  if (!sample || sample === newest || document.querySelector(`[data-name="${CSS.escape(sample)}"]`)) return;
  newest = sample;
  clearTimeout(due);
  // Those of other prompts come within seconds.
  due = setTimeout(() => void takeNew(), 2000);
});

async function takeNew() {
  const body = /** @type {HTMLTableElement | null} */ (document.querySelector('.gallery .grid'))?.tBodies[0];
  if (!body || !document.getElementById('over')) return location.reload();
  const answer = await fetch(location.pathname, { headers: { Accept: 'text/html' } }).catch(() => null);
  // silent: without contact the page says so; the next sample asks again
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const fresh = /** @type {HTMLTableElement | null} */ (page.querySelector('.gallery .grid'));
  if (fresh?.tHead?.textContent !== body.parentElement?.querySelector('thead')?.textContent) return location.reload();
  for (const [at, row] of [...(fresh?.tBodies[0]?.rows ?? [])].entries()) {
    const own = body.rows[at];
    row.hidden = own?.hidden ?? false;
    if (!own || labelOf(own) !== labelOf(row)) {
      row.hidden = true;
      body.insertBefore(row, own ?? null);
    } else if (contentOf(own) !== contentOf(row)) own.replaceWith(row);
  }
  offer(body);
  const count = '#samples-head .actions a span';
  const told = document.querySelector(count);
  if (told) told.textContent = page.querySelector(count)?.textContent ?? '';
  document.dispatchEvent(new Event('samples'));
}

/** In the table's empty corner: how many rows wait. @param {HTMLTableSectionElement} body */
function offer(body) {
  const waiting = [...body.rows].filter(({ hidden }) => hidden);
  const corner = body.parentElement?.querySelector('thead td');
  if (waiting.length === 0 || !corner) return;
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = `${waiting.length} new`;
  button.setAttribute('aria-label', `Show ${waiting.length} new ${waiting.length === 1 ? 'step' : 'steps'}`);
  button.addEventListener('click', () => {
    for (const row of waiting) row.hidden = false;
    button.remove();
  });
  corner.replaceChildren(button);
}

/** @param {HTMLTableRowElement} row */
function labelOf(row) {
  return row.cells[0]?.textContent?.trim();
}

/** But for the names of places, which move down. @param {HTMLTableRowElement} row */
function contentOf(row) {
  return row.innerHTML.replace(/ id="[^"]{0,40}"/g, '');
}
