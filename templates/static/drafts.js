/* What is typed into the form of a new training is kept on the pod while it is typed, and merged with what others type into the same draft. */
import { isChanged, keyOf, nameOf, put, textIn } from './fieldValues.js';

const form = /** @type {HTMLFormElement} */ (document.getElementById('training'));
const said = /** @type {HTMLElement} */ (document.getElementById('kept'));
const reset = /** @type {HTMLFormElement} */ (document.getElementById('reset'));
const PAUSE_MS = 400;
const AGAIN_MS = 5000;
const LEFT = 'trackside:draft';
/** A page is made and shown within this time. */
const LEFT_MS = 20_000;
/** Bytes that a page may still send while it is left. */
const LAST_WORDS = 60_000;
/** Where the root of the site is, as the form's own address tells it. */
const root = (form.getAttribute('data-hints') ?? '').replace(/new\/hints.*$/s, '');

/** @typedef {{ lora: string, version: number, fields: Record<string, string>, others: Record<string, string>, taken?: { lora: string } }} Draft */
/** @typedef {import('./fieldValues.js').Field} Field */

/** As the server has it. @type {Draft} */
let kept = JSON.parse(form.getAttribute('data-draft') ?? '');
/** As it is typed. */
const fields = { ...kept.fields };
/** As it was when this page came. */
const begun = { ...kept.fields };
let touched = false;
/** @type {number | undefined} */
let timer;
/** @type {Promise<void> | null} */
let sending = null;
/** The last save failed. */
let failed = false;
/** It is sent, or cleared: nothing is kept any more. */
let over = false;

// The button is for pages without this script.
document.documentElement.classList.add('keeps-drafts');

document.addEventListener('input', ({ target }) => isField(target) && typed(target));
document.addEventListener('change', ({ target }) => {
  if (!isField(target)) return;
  typed(target);
  if (target.name === 'lora_name') void flush();
});
document.addEventListener(
  'toggle',
  ({ target }) => {
    const isOwn = target instanceof HTMLDetailsElement && target.id && target.closest('.halves');
    // The ones that are open when the page comes are told, too.
    if (isOwn && kept.version > 0 && document.readyState === 'complete') soon();
  },
  true,
);
document.addEventListener('click', ({ target }) => {
  const name = target instanceof HTMLElement ? target.dataset.settle : undefined;
  if (name !== undefined) settle(name, /** @type {HTMLElement} */ (target).dataset.value ?? '');
});
form.addEventListener('submit', () => {
  if (timer !== undefined) void send();
  end();
});
reset.addEventListener('submit', end);
window.addEventListener('online', () => failed && void flush());
window.addEventListener('beforeunload', (event) => failed && !over && event.preventDefault());
window.addEventListener('pagehide', () => {
  if (over || !touched) return;
  // The next page may have been made before the last save was there.
  sessionStorage.setItem(LEFT, JSON.stringify({ lora: kept.lora, at: Date.now(), begun, fields }));
  if (timer !== undefined || failed) void send();
});
putBack();
// Typed before this script was here.
for (const element of form.elements) if (isField(element) && isChanged(element)) typed(element);
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && !over && timer === undefined) void look();
});

/**
 * A field that is kept: one of the form that people see.
 *
 * @param {EventTarget | Element | null} element
 * @returns {element is Field}
 */
export function isField(element) {
  const isOne = [HTMLInputElement, HTMLSelectElement, HTMLTextAreaElement].some((each) => element instanceof each);
  return isOne && /** @type {Field} */ (element).form === form && /** @type {Field} */ (element).name !== '';
}

/** Sends what was typed at once, with `more`. Resolves when it is kept, or could not be. */
export async function flush(more = {}) {
  while (sending) await sending;
  sending = send(more).finally(() => {
    sending = null;
  });
  return sending;
}

/** The address at which this draft goes on. */
export function addressOfDraft() {
  return `${root}new?${new URLSearchParams({ lora: kept.lora })}`;
}

/** @param {Field} field */
function typed(field) {
  const value = textIn(field);
  const key = keyOf(field.name);
  if (value === null || fields[key] === value) return;
  fields[key] = value;
  touched = true;
  soon();
}

/** What was typed last before this page was left, unless somebody else typed something there meanwhile. */
function putBack() {
  const last = JSON.parse(sessionStorage.getItem(LEFT) ?? 'null');
  sessionStorage.removeItem(LEFT);
  if (last?.lora !== kept.lora || Date.now() - last.at > LEFT_MS) return;
  for (const [name, value] of Object.entries(last.fields)) {
    if (fields[name] === value || fields[name] !== last.begun[name]) continue;
    fields[name] = value;
    touched = true;
    show(name, value);
    soon();
  }
}

function soon() {
  if (over) return;
  stay();
  clearTimeout(timer);
  timer = setTimeout(() => void flush(), PAUSE_MS);
}

function end() {
  clearTimeout(timer);
  timer = undefined;
  over = true;
}

/** @param {object} [more] */
async function send(more) {
  clearTimeout(timer);
  timer = undefined;
  const sent = { ...fields };
  const body = JSON.stringify({
    version: kept.version,
    base: kept.fields,
    fields: sent,
    others: kept.others,
    view: { open: [...document.querySelectorAll('.halves details[id][open]')].map(({ id }) => id) },
    form_id: field('form_id')?.value,
    ...more,
  });
  const answer = await ask('PUT', body);
  if (over) return;
  if (!answer.draft) {
    failed = true;
    say(`Not saved: ${answer.why}`, true);
    if (answer.again) timer ??= setTimeout(() => void flush(), AGAIN_MS);
    return;
  }
  failed = false;
  take(answer.draft, sent);
  say(answer.draft.taken ? 'Saved. This LoRA has another draft: see Other drafts.' : 'Saved', false);
}

/** What others typed meanwhile, when somebody comes back to this page. */
async function look() {
  if (kept.version === 0 || failed) return;
  const { draft } = await ask('GET');
  if (draft && draft.version !== kept.version && timer === undefined) take(draft, { ...fields });
}

/** @param {string} method @param {string} [body] @returns {Promise<{ draft?: Draft, why?: string, again?: boolean }>} */
async function ask(method, body) {
  try {
    const answer = await fetch(`${root}drafts/${encodeURIComponent(kept.lora)}`, {
      method,
      headers: { Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body, keepalive: body.length < LAST_WORDS }),
    });
    if (answer.ok) return { draft: await answer.json() };
    // What has no words of ours comes from a proxy in between; a full disk may be emptied; one may log in in another tab.
    const words = (await answer.json().catch(() => null))?.error?.message;
    const again = !words || answer.status >= 500 || answer.status === 401;
    return { why: words ?? `no connection (${answer.status}). Trying again`, again };
  } catch {
    return { why: 'no connection. Trying again', again: true };
  }
}

/** Shows what the server has now, but what was typed since. @param {Draft} draft @param {Record<string, string>} sent */
function take(draft, sent) {
  const isNew = Object.keys(draft.others).some((name) => draft.others[name] !== kept.others[name]);
  kept = draft;
  for (const [name, value] of Object.entries(sent))
    if (!(name in draft.fields) && fields[name] === value) delete fields[name];
  for (const [name, value] of Object.entries(draft.fields)) {
    if (fields[name] === value || fields[name] !== sent[name]) continue;
    fields[name] = value;
    show(name, value);
  }
  const hidden = { kept_as: kept.lora, kept_version: String(kept.version) };
  for (const [name, value] of Object.entries(hidden)) /** @type {Field} */ (field(name)).value = value;
  reset.action = `${root}drafts/${encodeURIComponent(kept.lora)}?_method=DELETE`;
  /** @type {HTMLElement} */ (document.querySelector('[form=reset]')).hidden = false;
  stay();
  if (isNew || draft.taken) showNotes();
}

/** A reload goes on with this draft. */
function stay() {
  const query = new URLSearchParams(location.search);
  if (!query.has('draft') && query.get('lora') !== kept.lora) history.replaceState(null, '', addressOfDraft());
}

/** Two values of one field: the chosen one stays. @param {string} name @param {string} value */
function settle(name, value) {
  kept = { ...kept, others: { ...kept.others } };
  delete kept.others[name];
  fields[name] = value;
  show(name, value);
  void flush().then(showNotes);
}

function showNotes() {
  const address = new URLSearchParams(location.search).has('draft') ? location.href : addressOfDraft();
  return globalThis.htmx?.ajax('GET', address, {
    source: '#draft',
    target: '#draft',
    select: '#draft',
    swap: 'outerHTML',
  });
}

/** @param {string} key @param {string} value */
function show(key, value) {
  const name = nameOf(key);
  for (const element of form.elements) {
    if (isField(element) && element.name === name && element.type !== 'hidden') put(element, value);
  }
}

/** @param {string} name @returns {Field | null} */
function field(name) {
  return form.querySelector(`[name="${name}"]`);
}

/** @param {string} words @param {boolean} isError */
function say(words, isError) {
  said.textContent = words;
  said.classList.toggle('error', isError);
}
