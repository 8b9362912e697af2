/*
 * The rest of trackside.js, behind htmx (sidecar/views/assets.ts). What every page needs: the end of a log,
 * times in the reader's zone, buttons that post once, and copy buttons. Without it a page shows what was true when it was loaded, and its forms work.
 */
const stream = document.querySelector('[data-stream]');
/** @type {WeakSet<HTMLFormElement>} Those that are being sent. */
const busy = new WeakSet();
/** @type {WeakSet<Element>} Buttons that say so. */
const copied = new WeakSet();

document.documentElement.classList.add('js');
document.querySelector('.bar .unscripted')?.remove();
keepWhatThePersonDid();
localise(document);
setInterval(() => localise(document), 30_000);
document.addEventListener('htmx:after:swap', () => localise(document));
const log = document.getElementById('log');
if (stream && log) followLog(stream, log);
document.addEventListener('submit', postOnce);
document.addEventListener('click', copy);
const sent = sessionStorage.getItem('trackside:sent');
if (sent && document.querySelector('main.session')) {
  sessionStorage.removeItem('trackside:sent');
  sessionStorage.removeItem(sent);
  localStorage.removeItem(sent);
}

/** An update leaves alone what was opened, what is being sent, times that are the same, and lists whose rows come apart. */
function keepWhatThePersonDid() {
  htmx.registerExtension('trackside', {
    htmx_before_morph_attr: (/** @type {Element} */ element, /** @type {{ attrName: string }} */ { attrName }) =>
      !(attrName === 'open' && element instanceof HTMLDetailsElement) &&
      !(attrName === 'disabled' && element instanceof HTMLButtonElement && element.form && busy.has(element.form)),
    htmx_before_morph_node: (/** @type {Element} */ element, /** @type {{ newNode: HTMLTimeElement }} */ { newNode }) =>
      !newNode.hasAttribute('data-kept') &&
      !(element instanceof HTMLTimeElement && element.dateTime === newNode.dateTime && element.dataset.as !== 'ago'),
  });
}

/** @param {Event} event A named message of the stream. @returns {string} */
function dataOf(event) {
  return /** @type {CustomEvent<{ data: string }>} */ (event).detail.data;
}

/**
 * Appends what the trainer writes, as a terminal would; stays at the end unless the reader scrolled up.
 *
 * @param {Element} stream
 * @param {HTMLElement} log
 */
function followLog(stream, log) {
  const most = 1000;
  const following = /** @type {HTMLElement} */ (document.getElementById('following'));
  let [inode, offset] = (log.dataset.position ?? '').split(':');
  let open = document.createTextNode('');
  let returned = false;
  show(log.textContent ?? '');
  log.addEventListener('scroll', say);
  document.addEventListener('htmx:after:swap', say);
  toEnd();

  stream.addEventListener('log', (event) => {
    const { position, text, reset } = JSON.parse(dataOf(event));
    const [newInode, newOffset] = position.split(':');
    if (!reset && newInode === inode && Number(newOffset) <= Number(offset)) return;
    const follow = atEnd();
    [inode, offset] = [newInode, newOffset];
    if (reset) show('');
    write(text);
    if (follow) toEnd();
  });

  /** @param {string} text */
  function show(text) {
    open = document.createTextNode('');
    log.replaceChildren(open);
    write(text);
  }
  /** @param {string} text Without colours and cursor movements (sidecar/telemetry/logReader.ts), but for `\r`. */
  function write(text) {
    text.split('\n').forEach((part, i) => {
      if (i > 0) {
        open.data += '\n';
        open = document.createTextNode('');
        log.append(open);
        returned = false;
      }
      const pieces = part.split('\r');
      pieces.forEach((piece, j) => {
        if (piece === '') return;
        open.data = j > 0 || returned ? piece : open.data + piece;
        returned = false;
      });
      if (part.endsWith('\r')) returned = true;
    });
    while (log.childNodes.length > most) log.firstChild?.remove();
  }
  function atEnd() {
    return log.scrollHeight - log.scrollTop - log.clientHeight < 24;
  }
  function toEnd() {
    log.scrollTop = log.scrollHeight;
    say();
  }
  function say() {
    const alive = document.querySelector('#head [data-alive]');
    following.textContent = !alive ? '' : atEnd() ? 'following' : 'not following: scrolled up';
  }
}

/** `<time>` in the reader's own zone and words. @param {ParentNode} within */
function localise(within) {
  for (const element of /** @type {NodeListOf<HTMLTimeElement>} */ (within.querySelectorAll('time[datetime]'))) {
    const then = new Date(element.dateTime);
    const text = element.dataset.as === 'ago' ? ago(then) : element.dataset.as === 'clock' ? clock(then) : day(then);
    if (element.textContent !== text) element.textContent = text;
    element.title ||= then.toLocaleString();
  }
}

/** @param {Date} then */
function clock(then) {
  return then.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false });
}

/** @param {Date} then */
function day(then) {
  const now = new Date();
  const days = (new Date(now).setHours(0, 0, 0, 0) - new Date(then).setHours(0, 0, 0, 0)) / 86_400_000;
  if (Math.abs(days) < 0.5) return clock(then);
  if (days > 0 && days < 6.5) return `${then.toLocaleDateString([], { weekday: 'short' })} ${clock(then)}`;
  const year = then.getFullYear() === now.getFullYear() ? undefined : 'numeric';
  return then.toLocaleDateString([], { day: 'numeric', month: 'short', year });
}

/** @param {Date} then */
function ago(then) {
  const seconds = (Date.now() - then.getTime()) / 1000;
  if (Math.abs(seconds) < 45) return 'just now';
  const minutes = Math.max(1, Math.round(Math.abs(seconds) / 60));
  const hours = Math.round(minutes / 60);
  const days = Math.round(hours / 24);
  const words = minutes < 60 ? `${minutes} min` : hours < 24 ? `${hours} h` : `${days} ${days === 1 ? 'day' : 'days'}`;
  return seconds < 0 ? `in ${words}` : `${words} ago`;
}

/** A second click posts nothing. The buttons go grey only after the browser has read which of them was pressed. @param {Event} event */
function postOnce(event) {
  const form = event.target;
  if (event.defaultPrevented || !(form instanceof HTMLFormElement) || form.method !== 'post') return;
  if (busy.has(form)) {
    event.preventDefault();
    return;
  }
  busy.add(form);
  const buttons = [...form.elements]
    .filter((each) => each instanceof HTMLButtonElement)
    .filter(({ type }) => type === 'submit');
  setTimeout(() => {
    for (const button of buttons) button.disabled = true;
  });
  setTimeout(() => {
    busy.delete(form);
    for (const button of buttons) button.disabled = false;
  }, 10_000);
}

/** @param {Event} event */
async function copy({ target }) {
  const button = target instanceof Element && target.closest('[data-copy]');
  if (!button) return;
  await putOnClipboard(button.getAttribute('data-copy') ?? '');
  if (copied.has(button)) return;
  copied.add(button);
  const before = button.innerHTML;
  button.textContent = 'Copied';
  setTimeout(() => {
    button.innerHTML = before;
    copied.delete(button);
  }, 1500);
}

/** The clipboard is there only on https and localhost; a pod is often reached otherwise. @param {string} text */
async function putOnClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
