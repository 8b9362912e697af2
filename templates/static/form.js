/* The form of a new training: what is typed survives a reload, and hints follow what is typed. */
const form = /** @type {HTMLFormElement} */ (document.getElementById('training'));
const draft = form.getAttribute('data-draft');
const kept = draft ? `trackside:draft:${draft}` : 'trackside:new';
const store = draft ? sessionStorage : localStorage;
const PAUSE_MS = 250;
let pause = 0;
const pictures = () => /** @type {HTMLElement} */ (document.getElementById('pictures'));

const DECIDING = ['trainer', 'base_model', 'vram'];
const WORDS = ['lora_name', 'description', 'dataset', 'concept_sentence', 'sample_prompts'];

// Not `form.dataset`: that is the field of this name.
if (form.getAttribute('data-given') === 'false') restore();
/** @type {HTMLElement | null} */ (form.querySelector('[aria-invalid]'))?.focus();
document.addEventListener('input', ({ target }) => {
  if (!isField(target)) return;
  if (target.name !== 'dataset') keep();
  askHints();
});
document.addEventListener('change', ({ target }) => {
  if (!isField(target)) return;
  keep();
  askHints();
  if (target.name === 'dataset' && target.value !== pictures().dataset.name) showPictures(target.value);
  // These decide which fields there are, and what stands in them: the server shows them, with what was typed.
  if (DECIDING.includes(target.name)) form.requestSubmit(form.querySelector('.show'));
});
// Back from the session: another form id, or Start would lead to the session that this form made already.
window.addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
form.addEventListener('submit', ({ submitter }) => {
  keep();
  if (submitter?.getAttribute('name') === 'show') return;
  sessionStorage.setItem('trackside:sent', kept);
});
// Enter in a field is not yet the wish to rent a GPU for a night.
form.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && event.target instanceof HTMLInputElement) event.preventDefault();
});
document.getElementById('flag-search')?.addEventListener('input', findFlag);

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field */

/**
 * @param {unknown} element
 * @returns {element is Field}
 */
function isField(element) {
  const isOne = [HTMLInputElement, HTMLSelectElement, HTMLTextAreaElement].some((each) => element instanceof each);
  return isOne && /** @type {Field} */ (element).form === form;
}

function keep() {
  const values = [...new FormData(form)].filter(([name]) => name !== 'form_id');
  store.setItem(kept, JSON.stringify(values));
}

function restore() {
  const query = new URLSearchParams(location.search);
  /** @type {[string, string][]} */
  let stored;
  try {
    stored = JSON.parse(store.getItem(kept) ?? '[]');
  } catch {
    return;
  }
  // A checkbox comes after its hidden "false": the last value of a name counts.
  const values = new Map(stored.filter(([name]) => !query.has(name)));
  const other = DECIDING.filter((name) => values.has(name) && values.get(name) !== typed(name));
  if (other.length > 0) {
    for (const name of other) query.set(name, values.get(name) ?? '');
    location.replace(`?${query}`);
    return;
  }
  const shown = typed('trainer');
  const keptFor = new Map(stored).get('trainer') ?? shown;
  for (const field of form.elements) {
    if (!isField(field) || field.type === 'hidden') continue;
    const value = values.get(field.name);
    if (value === undefined) continue;
    // What stood in another trainer's fields is nothing that was typed for this one.
    if (keptFor !== shown && !WORDS.includes(field.name)) continue;
    if (!(field instanceof HTMLInputElement) || !['checkbox', 'radio'].includes(field.type)) field.value = value;
    else if (field.type === 'checkbox') field.checked = value === 'true';
    else if (field.value === value && !field.checked) {
      field.checked = true;
      if (field.name === 'dataset') showPictures(value);
    }
  }
  askHints();
}

/** @param {string} name */
function typed(name) {
  const field = form.elements.namedItem(name);
  return isField(field) ? field.value : undefined;
}

/** The chosen dataset's pictures, as the server draws them; the fields stay as they are. @param {string} dataset */
function showPictures(dataset) {
  globalThis.htmx?.ajax('GET', `new?${new URLSearchParams({ dataset })}`, {
    source: pictures(),
    target: '#pictures',
    select: '#pictures',
    swap: 'outerHTML',
  });
}

/** Steps, saves and the next version, as the server counts them; once typing pauses. */
function askHints() {
  clearTimeout(pause);
  pause = setTimeout(
    () => globalThis.htmx?.ajax('POST', form.getAttribute('data-hints') ?? '', { source: form, swap: 'none' }),
    PAUSE_MS,
  );
}

/** @param {Event} event */
function findFlag(event) {
  const words = /** @type {HTMLInputElement} */ (event.target).value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const field of flags('.field')) {
    const text = field.textContent?.toLowerCase() ?? '';
    field.hidden = !words.every((word) => text.includes(word));
  }
  for (const group of flags(':is(fieldset, .group)')) {
    group.hidden = !group.querySelector('.field:not([hidden])');
    if (group instanceof HTMLDetailsElement) group.open = words.length > 0;
  }
}

/** @param {string} selector */
function flags(selector) {
  return /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(`#further-flags ${selector}`));
}
