/*
 * A part of trackside.js. Actions are sent without leaving the page (forms with data-stay): the stream shows what became of
 * them, a refusal is said at the foot of the screen, and what could not be sent can be sent again. A form that leads to another
 * page is sent once there is contact. Without this a form is a form.
 */
document.addEventListener('submit', submitted, true);
document.addEventListener('click', closeMenu);
document.addEventListener('say', (event) => {
  const { words, href, bad } = /** @type {CustomEvent<{ words: string, href: string, bad: boolean }>} */ (event).detail;
  toast(words, bad ? null : undefined, href);
});

/** @type {WeakSet<HTMLFormElement>} */
const underWay = new WeakSet();
const PATIENCE_MS = 30_000;

/** @type {WeakSet<HTMLFormElement>} There is contact: it may lead to another page. */
const leaving = new WeakSet();

/** @param {SubmitEvent} event */
function submitted(event) {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== 'post') return;
  const stays = form.dataset.stay !== undefined;
  // Scripts of their own send pictures and captions.
  if (!stays && (form.matches('.upload, figure form') || leaving.delete(form))) return;
  event.preventDefault();
  if (!stays) event.stopPropagation();
  if (!underWay.has(form)) void (stays ? act : leave)(form, event.submitter);
}

/**
 * Without contact the browser would show a page of its own, and what is typed in this one would be lost.
 *
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} button
 */
async function leave(form, button) {
  underWay.add(form);
  const health = new URL('healthz', /** @type {HTMLAnchorElement} */ (document.querySelector('.brand')).href);
  const answer = await fetch(health, { signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => null);
  underWay.delete(form);
  if (!answer?.ok) return toast(NO_CONTACT, () => leave(form, button));
  leaving.add(form);
  form.requestSubmit(button);
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} button
 */
async function act(form, button) {
  underWay.add(form);
  button?.setAttribute('aria-busy', 'true');
  const refused = await send(form, button).catch(() => NO_CONTACT);
  underWay.delete(form);
  button?.removeAttribute('aria-busy');
  // What is said stands below an open sheet, and could not be pressed.
  /** @type {HTMLElement | null} */ (form.closest('[popover]:popover-open'))?.hidePopover();
  if (refused === null) {
    if (form.dataset.stay) toast(form.dataset.stay);
    if (form.dataset.dismisses) form.closest(form.dataset.dismisses)?.remove();
    return;
  }
  toast(refused, refused === NO_CONTACT ? () => act(form, button) : null);
}

const NO_CONTACT = 'Not sent: no contact with Trackside. Trainings keep running.';

/**
 * Null when it is done, else why not, in words.
 *
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} button its name and value are sent, too
 * @returns {Promise<string | null>}
 */
async function send(form, button) {
  const answer = await fetch(form.action, {
    method: 'POST',
    headers: { Accept: 'application/json' },
    body: new URLSearchParams(/** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form, button)))),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (answer.ok) return null;
  if (answer.status === 401) return 'You are logged out. Reload this page to log in. Trainings keep running.';
  const { error } = await answer.json();
  return error.message;
}

/**
 * Says what came of an action. Good news goes away by itself, bad news stays until it is closed.
 *
 * @param {string} words
 * @param {(() => void) | null} [again] sends it again; absent for good news
 * @param {string} [href] of what it is about: then it stays, too
 */
function toast(words, again, href) {
  const bad = again !== undefined;
  const note = document.createElement('p');
  note.className = bad ? 'toast tone-fail' : 'toast';
  note.textContent = words;
  if (again) note.append(closing('Try again', note, again));
  if (href) note.append(linkTo(href));
  if (bad || href) note.append(closing('Close', note, () => {}));
  else setTimeout(() => note.remove(), 4000);
  document.getElementById('toasts')?.append(note);
}

/** @param {string} href */
function linkTo(href) {
  const link = document.createElement('a');
  link.href = href;
  link.textContent = 'Show';
  return link;
}

/**
 * @param {string} label
 * @param {HTMLElement} note
 * @param {() => void} then
 */
function closing(label, note, then) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'small';
  button.textContent = label;
  button.addEventListener('click', () => {
    note.remove();
    then();
  });
  return button;
}

/** A menu closes on a click elsewhere. @param {Event} event */
function closeMenu({ target }) {
  const menu = document.querySelector('details.more[open]');
  if (menu && !(target instanceof Node && menu.contains(target))) menu.removeAttribute('open');
}
