/*
 * A part of trackside.js. Actions are sent without leaving the page (forms with data-stay): the stream shows what became of
 * them, a refusal is said at the foot of the screen, and what could not be sent can be sent again. Without it a form is a form.
 */
document.addEventListener('submit', stay, true);
document.addEventListener('click', closeMenu);
document.addEventListener('say', (event) => {
  const { words, href, bad } = /** @type {CustomEvent<{ words: string, href: string, bad: boolean }>} */ (event).detail;
  toast(words, bad ? null : undefined, href);
});

/** @type {WeakSet<HTMLFormElement>} */
const underWay = new WeakSet();
const PATIENCE_MS = 30_000;

/** @param {SubmitEvent} event */
function stay(event) {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset.stay === undefined) return;
  event.preventDefault();
  if (!underWay.has(form)) void act(form, event.submitter);
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
  if (refused === null) {
    /** @type {HTMLElement | null} */ (form.closest('[popover]'))?.hidePopover();
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
