/* Captions are saved while they are typed, and again until they are. */
/**
 * Captions that were typed into and not sent yet, with their timers.
 * @type {Map<HTMLTextAreaElement, number | undefined>}
 */
const waiting = new Map();
/** @type {WeakMap<HTMLTextAreaElement, Promise<unknown>>} The last save of each. */
const saves = new WeakMap();
/** @type {WeakMap<HTMLTextAreaElement, string>} What the server has. */
const saved = new WeakMap();
/** @type {Set<HTMLTextAreaElement>} Whose last save failed. */
const unsaved = new Set();
const AGAIN_MS = 5000;

// The button is for pages without this script.
document.documentElement.classList.add('saves-captions');

document.addEventListener('input', ({ target }) => {
  if (!isCaption(target)) return;
  clearTimeout(waiting.get(target));
  waiting.set(target, setTimeout(saveCaption, 700, target));
});
document.addEventListener('change', ({ target }) => isCaption(target) && waiting.has(target) && saveCaption(target));
document.addEventListener('submit', (event) => {
  const caption = event.target instanceof Element && event.target.querySelector('[data-caption]');
  if (!caption || !isCaption(caption)) return;
  event.preventDefault();
  saveAgain(caption);
});
window.addEventListener('online', () => [...unsaved].forEach(saveAgain));
window.addEventListener('beforeunload', (event) => unsaved.size > 0 && event.preventDefault());
window.addEventListener('pagehide', () => {
  const texts = [...waiting.keys(), ...unsaved].map((caption) => [
    addressOf(caption),
    [before(caption), caption.value],
  ]);
  if (texts.length > 0) sessionStorage.setItem(left, JSON.stringify(texts));
  for (const caption of waiting.keys()) sendCaption(caption);
});

const left = 'trackside:captions';
const lastWords = takeLastWords();
putBack();
document.addEventListener('htmx:after:swap', putBack);

/**
 * @param {EventTarget | null} element
 * @returns {element is HTMLTextAreaElement}
 */
function isCaption(element) {
  return element instanceof HTMLTextAreaElement && element.dataset.caption !== undefined;
}

/** One save after the other: over a slow line an older text could otherwise arrive last. @param {HTMLTextAreaElement} caption */
function saveCaption(caption) {
  saves.set(
    caption,
    Promise.resolve(saves.get(caption)).then(() => (waiting.has(caption) ? sendCaption(caption) : undefined)),
  );
}

/** @param {HTMLTextAreaElement} caption */
function saveAgain(caption) {
  clearTimeout(waiting.get(caption));
  waiting.set(caption, undefined);
  saveCaption(caption);
}

/** What was typed last before the page went, and what the server had then: a reload may be answered with that still. @returns {Map<string, [string, string]>} */
function takeLastWords() {
  const texts = JSON.parse(sessionStorage.getItem(left) ?? '[]');
  sessionStorage.removeItem(left);
  return new Map(texts);
}

/** Unless somebody else wrote something meanwhile. */
function putBack() {
  for (const caption of lastWords.size > 0 ? document.querySelectorAll('[data-caption]') : []) {
    if (!isCaption(caption)) continue;
    const [had, text] = lastWords.get(addressOf(caption)) ?? [];
    if (text === undefined) continue;
    lastWords.delete(addressOf(caption));
    if (text === caption.value || had !== caption.value) continue;
    caption.value = text;
    saveAgain(caption);
  }
}

/** @param {HTMLTextAreaElement} caption */
function before(caption) {
  return saved.get(caption) ?? caption.defaultValue;
}

/** @param {HTMLTextAreaElement} caption */
function addressOf(caption) {
  return new URL(caption.dataset.caption ?? '', location.href).href;
}

/** @param {HTMLTextAreaElement} caption */
async function sendCaption(caption) {
  clearTimeout(waiting.get(caption));
  waiting.delete(caption);
  const said = /** @type {HTMLOutputElement} */ (caption.form?.querySelector('output'));
  said.textContent = 'saving';
  const text = caption.value;
  const failed = await putCaption(addressOf(caption), text);
  said.classList.toggle('error', failed !== null);
  if (failed === null) {
    unsaved.delete(caption);
    saved.set(caption, text);
    if (caption.value === text) said.textContent = 'saved';
    document.dispatchEvent(new CustomEvent('captioned'));
    return;
  }
  unsaved.add(caption);
  said.textContent = `not saved: ${failed.why.replace(/\.$/, '')}${failed.again ? '. Trying again' : ''}`;
  if (failed.again && !waiting.has(caption)) waiting.set(caption, setTimeout(saveCaption, AGAIN_MS, caption));
}

/** Null, or why it was not saved, and whether the same text may be taken later. @param {string} address @param {string} text */
async function putCaption(address, text) {
  try {
    const response = await fetch(address, {
      method: 'PUT',
      keepalive: true,
      headers: { 'Content-Type': 'text/plain; charset=utf-8', Accept: 'application/json' },
      body: text,
    });
    if (response.ok) return null;
    // What has no words of ours comes from a proxy in between; a full disk may be emptied; one may log in in another tab.
    const words = (await response.json().catch(() => null))?.error?.message;
    const again = !words || response.status >= 500 || response.status === 401;
    return { why: words ?? `no connection (${response.status})`, again };
  } catch {
    return { why: 'no connection', again: true };
  }
}
