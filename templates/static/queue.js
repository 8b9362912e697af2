/*
 * The page of the queue: a row is dragged to its place. The buttons of each row do the same with the keyboard, on a phone and
 * without this script.
 */
/** @type {HTMLElement | null} The row that is being dragged. */
let dragged = null;

document.addEventListener('dragstart', (event) => {
  dragged = rowAt(event.target);
  if (!dragged || !event.dataTransfer) return;
  event.dataTransfer.effectAllowed = 'move';
  event.dataTransfer.setData('text/plain', dragged.dataset.session ?? '');
  dragged.classList.add('dragged');
});

document.addEventListener('dragover', (event) => {
  const row = rowAt(event.target);
  if (!dragged || !row) return;
  event.preventDefault();
  if (row === dragged) return;
  const { top, height } = row.getBoundingClientRect();
  row.parentElement?.insertBefore(dragged, event.clientY < top + height / 2 ? row : row.nextSibling);
});

document.addEventListener('drop', (event) => {
  if (dragged) event.preventDefault();
});

document.addEventListener('dragend', () => {
  dragged?.classList.remove('dragged');
  const list = dragged?.closest('.waiting');
  dragged = null;
  if (list instanceof HTMLElement) void save(list);
});

/** Sends the order of the rows; the stream then draws it as it is. @param {HTMLElement} list */
async function save(list) {
  const rows = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[data-session]')]);
  const answer = await fetch((list.dataset.address ?? '').replace('?_method=PATCH', ''), {
    method: 'PATCH',
    headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
    body: JSON.stringify({ order: rows.map(({ dataset }) => dataset.session) }),
  }).catch(() => null);
  // What was not saved is not shown.
  if (!answer?.ok) location.reload();
}

/** @param {EventTarget | null} target @returns {HTMLElement | null} */
function rowAt(target) {
  return target instanceof Element ? target.closest('.waiting [data-session]') : null;
}
