/* Counts and tags follow the captions that are saved, and a picture is removed without leaving its place on the page. */
const PAUSE_MS = 400;
/** Parts of the page that follow its pictures and captions. */
const FOLLOWING = ['caption-count', 'caption-tags', 'kept'];
let pause = 0;

document.addEventListener('captioned', () => {
  clearTimeout(pause);
  pause = setTimeout(follow, PAUSE_MS);
});
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.matches('figure .remove')) return;
  event.preventDefault();
  void remove(form);
});

/** As the server draws them now. Without contact they stay as they are until the next change. */
async function follow() {
  const page = await fetch(address(), { headers: { Accept: 'text/html' } }).catch(() => null);
  if (!page?.ok) return;
  const fresh = new DOMParser().parseFromString(await page.text(), 'text/html');
  const captions = [...document.querySelectorAll('figure[id]')].map(({ id }) => id);
  for (const [id, inside] of [...FOLLOWING.map((id) => [id, '']), ...captions.map((id) => [id, 'figcaption'])]) {
    const [here, there] = [document, fresh].map((each) => partOf(each, id, inside));
    const isOpen = here?.querySelector('details[open]');
    if (!here || !there || here.innerHTML === there.innerHTML || here.contains(document.activeElement)) continue;
    here.replaceChildren(...there.childNodes);
    if (isOpen) here.querySelector('details')?.setAttribute('open', '');
  }
}

/** @param {Document} page @param {string} id @param {string} inside */
function partOf(page, id, inside) {
  const part = page.getElementById(id);
  return inside ? part?.querySelector(inside) : part;
}

/** Of a new training, the pictures of the dataset that is chosen. */
function address() {
  const chosen = document.getElementById('pictures')?.dataset.name;
  return chosen === undefined ? location.pathname + location.search : `new?${new URLSearchParams({ dataset: chosen })}`;
}

/** @param {HTMLFormElement} form */
async function remove(form) {
  const figure = /** @type {HTMLElement} */ (form.closest('figure'));
  if (figure.getAttribute('aria-busy')) return;
  figure.setAttribute('aria-busy', 'true');
  const refused = await send(form).catch(() => 'Not removed: no contact with Trackside. Try again.');
  figure.removeAttribute('aria-busy');
  const name = figure.querySelector('.file')?.textContent ?? '';
  say(refused ?? `${name} is in the trash at the end of this page.`, refused !== null);
  if (refused !== null) return;
  const next = figure.nextElementSibling ?? figure.previousElementSibling;
  figure.remove();
  /** @type {HTMLElement | null | undefined} */ (next?.querySelector('.remove button'))?.focus({ preventScroll: true });
  await follow();
}

/** Null when it is done, else why not, in words. @param {HTMLFormElement} form @returns {Promise<string | null>} */
async function send(form) {
  const answer = await fetch(form.action, { method: 'POST', headers: { Accept: 'application/json' } });
  return answer.ok ? null : (await answer.json()).error.message;
}

/** @param {string} words @param {boolean} bad */
function say(words, bad) {
  document.dispatchEvent(new CustomEvent('say', { detail: { words, bad } }));
}
