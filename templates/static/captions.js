/* Captions are saved while they are typed. */
/** Captions that were typed into and not sent yet, with their timers; and the last save of each. */
const waiting = new Map();
const saves = new WeakMap();

document.addEventListener('input', ({ target }) => {
  if (target.dataset.caption === undefined) return;
  clearTimeout(waiting.get(target));
  waiting.set(target, setTimeout(saveCaption, 700, target));
});
document.addEventListener('change', ({ target }) => waiting.has(target) && saveCaption(target));
document.addEventListener('submit', (event) => {
  const caption = event.target.querySelector('[data-caption]');
  if (!caption) return;
  event.preventDefault();
  waiting.set(caption);
  saveCaption(caption);
});
window.addEventListener('pagehide', () => {
  const texts = [...waiting.keys()].map((caption) => [addressOf(caption), caption.value]);
  if (texts.length > 0) sessionStorage.setItem(left, JSON.stringify({ at: Date.now(), texts }));
  for (const caption of waiting.keys()) sendCaption(caption);
});

const left = 'trackside:captions';
const lastWords = takeLastWords();
putBack();
document.addEventListener('htmx:after:swap', putBack);

/** One save after the other: over a slow line an older text could otherwise arrive last. */
function saveCaption(caption) {
  saves.set(
    caption,
    Promise.resolve(saves.get(caption)).then(() => waiting.has(caption) && sendCaption(caption)),
  );
}

/** The answer to a reload is there before the words that were typed last: for a few seconds they are known here. */
function takeLastWords() {
  const { at, texts } = JSON.parse(sessionStorage.getItem(left)) ?? { at: 0, texts: [] };
  sessionStorage.removeItem(left);
  return new Map(Date.now() - at < 10_000 ? texts : []);
}

function putBack() {
  for (const caption of lastWords.size > 0 ? document.querySelectorAll('[data-caption]') : []) {
    const text = lastWords.get(addressOf(caption));
    if (text === undefined) continue;
    lastWords.delete(addressOf(caption));
    if (text === caption.value) continue;
    caption.value = text;
    waiting.set(caption);
    saveCaption(caption);
  }
}

function addressOf(caption) {
  return new URL(caption.dataset.caption, location.href).href;
}

async function sendCaption(caption) {
  clearTimeout(waiting.get(caption));
  waiting.delete(caption);
  const said = caption.form.querySelector('output');
  said.textContent = 'saving';
  const text = caption.value;
  try {
    const response = await fetch(caption.dataset.caption, {
      method: 'PUT',
      keepalive: true,
      headers: { 'Content-Type': 'text/plain; charset=utf-8', Accept: 'application/json' },
      body: text,
    });
    if (!response.ok) throw new Error((await response.json()).error.message);
    if (caption.value === text) said.textContent = 'saved';
    said.classList.remove('error');
  } catch (error) {
    said.textContent = `not saved: ${error.message}`;
    said.classList.add('error');
  }
}
