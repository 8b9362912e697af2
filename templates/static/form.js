/* The form of a new training: hints follow what is typed, and what decides on other fields shows them. */
import { addressOfDraft, flush, isField } from './drafts.js';

const form = /** @type {HTMLFormElement} */ (document.getElementById('training'));
const PAUSE_MS = 250;
let pause = 0;
const pictures = () => /** @type {HTMLElement} */ (document.getElementById('pictures'));

const DECIDING = ['trainer', 'base_model', 'vram'];
/** The preset follows the GPUs of where it runs. */
const PLACES = ['launcher', 'cluster_queue', 'cluster_gpu_type'];

/** @type {HTMLElement | null} */ (document.querySelector('.halves [aria-invalid]'))?.focus();
document.addEventListener('input', ({ target }) => {
  if (!isField(target)) return;
  forgive(target);
  askHints();
});
document.addEventListener('change', ({ target }) => {
  if (!isField(target)) return;
  askHints();
  if (target.name === 'dataset' && target.value !== pictures().dataset.name) showPictures(target.value);
  const decides = DECIDING.includes(target.name) || (PLACES.includes(target.name) && form.elements.namedItem('vram'));
  if (decides) void showFields();
});
// Back from the session: another form id, or Start would lead to the session that this form made already.
window.addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
// Enter in a field is not yet the wish to rent a GPU for a night.
document.addEventListener('keydown', (event) => {
  const { target } = event;
  if (event.key === 'Enter' && target instanceof HTMLInputElement && target.form === form) event.preventDefault();
});
document.getElementById('flag-search')?.addEventListener('input', findFlag);

/** These decide which fields there are, and what stands in them: the server shows them, with what was typed. */
async function showFields() {
  // What merely stood in a field of the trainer before is not taken along: `shown` names it.
  await flush({ shown: /** @type {HTMLInputElement} */ (form.elements.namedItem('shown')).value });
  const isEdit = new URLSearchParams(location.search).has('draft');
  if (isEdit) location.reload();
  else location.replace(addressOfDraft());
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

/** What was wrong with a field is not said of what is typed now: the server looks at it again. @param {Element} field */
function forgive(field) {
  if (!field.hasAttribute('aria-invalid')) return;
  field.removeAttribute('aria-invalid');
  field.closest('.field')?.classList.remove('wrong');
  document.getElementById(`${field.id}-error`)?.remove();
  if (!document.querySelector('.halves [aria-invalid]')) document.getElementById('check')?.remove();
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
