/* The form of a new training: what is typed survives a reload, and the expected steps are counted while typing. */
const form = document.getElementById('training');
const draft = form.getAttribute('data-draft');
const kept = draft ? `trackside:draft:${draft}` : 'trackside:new';
const store = draft ? sessionStorage : localStorage;
const pictures = () => document.getElementById('pictures');

const DECIDING = ['trainer', 'base_model', 'vram'];
const WORDS = ['lora_name', 'description', 'dataset', 'concept_sentence', 'sample_prompts'];

// Not `form.dataset`: that is the field of this name.
if (form.getAttribute('data-given') === 'false') restore();
recount();
form.querySelector('[aria-invalid]')?.focus();
document.addEventListener('input', ({ target }) => {
  if (target.form !== form) return;
  if (target.name !== 'dataset') keep();
  recount();
});
document.addEventListener('change', ({ target }) => {
  if (target.form !== form) return;
  keep();
  if (target.name === 'dataset' && target.value !== pictures().dataset.name) showPictures(target.value);
  // These decide which fields there are, and what stands in them: the server shows them, with what was typed.
  if (DECIDING.includes(target.name)) form.requestSubmit(form.querySelector('.show'));
});
document.addEventListener('htmx:after:swap', recount);
// Back from the session: another form id, or Start would lead to the session that this form made already.
window.addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
form.addEventListener('submit', ({ submitter }) => {
  keep();
  if (submitter?.name === 'show') return;
  sessionStorage.setItem('trackside:sent', kept);
});
// Enter in a field is not yet the wish to rent a GPU for a night.
form.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && event.target.tagName === 'INPUT') event.preventDefault();
});
document.getElementById('flag-search')?.addEventListener('input', findFlag);

function keep() {
  const values = [...new FormData(form)].filter(([name]) => name !== 'form_id');
  store.setItem(kept, JSON.stringify(values));
}

function restore() {
  const query = new URLSearchParams(location.search);
  let stored;
  try {
    stored = JSON.parse(store.getItem(kept)) ?? [];
  } catch {
    return;
  }
  // A checkbox comes after its hidden "false": the last value of a name counts.
  const values = new Map(stored.filter(([name]) => !query.has(name)));
  const other = DECIDING.filter((name) => values.has(name) && values.get(name) !== form.elements[name]?.value);
  if (other.length > 0) {
    for (const name of other) query.set(name, values.get(name));
    location.replace(`?${query}`);
    return;
  }
  const shown = form.elements.trainer.value;
  const keptFor = new Map(stored).get('trainer') ?? shown;
  for (const field of form.elements) {
    if (field.type === 'hidden' || !values.has(field.name)) continue;
    // What stood in another trainer's fields is nothing that was typed for this one.
    if (keptFor !== shown && !WORDS.includes(field.name)) continue;
    const value = values.get(field.name);
    if (field.type === 'checkbox') field.checked = value === 'true';
    else if (field.type !== 'radio') field.value = value;
    else if (field.value === value && !field.checked) {
      field.checked = true;
      showPictures(value);
    }
  }
}

/** The chosen dataset's pictures, as the server draws them; the fields stay as they are. */
function showPictures(dataset) {
  htmx.ajax('GET', `new?${new URLSearchParams({ dataset })}`, {
    source: pictures(),
    target: '#pictures',
    select: '#pictures',
    swap: 'outerHTML',
  });
}

function chosen() {
  return document.querySelector('input[name=dataset]:checked');
}

function recount() {
  const number = (name, fallback) => Number(form.elements[name]?.value || fallback);
  const images = Number(chosen()?.dataset.images ?? 0);
  const repeats = number('num_repeats', 1);
  const epochs = number('max_train_epochs', 0);
  const batch = number('arguments[train_batch_size]', 1) * number('arguments[gradient_accumulation_steps]', 1);
  const steps = Math.ceil((images * repeats) / batch) * epochs;
  const many = (count, word) =>
    `${count.toLocaleString('en').replaceAll(',', '\u202f')} ${word}${count === 1 ? '' : 's'}`;
  const further = form.elements.more_datasets?.value || form.elements.reg_datasets?.value;
  let text = '';
  if (!images) text = 'Pick the pictures to see how many steps it takes.';
  else if (steps > 0 && Number.isFinite(steps))
    text = `${many(images, 'picture')} × ${many(repeats, 'repeat')} × ${many(epochs, 'epoch')}${batch > 1 ? ` ÷ ${batch} a step` : ''} = ${many(steps, 'step')}${further ? ', and those of the further datasets' : ''}`;
  const expected = document.getElementById('expected');
  if (expected.textContent !== text) expected.textContent = text;

  const checkpoints = form.querySelector('input[type=checkbox][name=enable_checkpointing]');
  const warning = document.getElementById('not-resumable');
  if (checkpoints && warning) warning.hidden = checkpoints.checked;
  const late = document.getElementById('saved-late');
  const everySteps = number('arguments[save_every_n_steps]', 0);
  const bySteps = everySteps > 0 && (further || !(steps > 0) || everySteps < steps);
  const saves = number('save_every_n_epochs', epochs) < epochs || bySteps;
  if (late) late.hidden = !checkpoints?.checked || saves;

  const name = form.elements.lora_name.value.trim();
  const folder = slug(name);
  const known =
    !draft && [...document.querySelectorAll('#loras option')].find((lora) => lora.dataset.folder === folder);
  document.getElementById('next-version').textContent = known
    ? `${known.value} exists: this becomes its V${known.dataset.next}. Nothing is overwritten.`
    : '';
}

/** What the name becomes as a folder: two names of the same are the same LoRA. As sidecar/slug.ts has it. */
function slug(name) {
  const words = name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_]+/gu, '-')
    .replace(/^[-_]+/, '');
  return Array.from(words).slice(0, 60).join('').replace(/-+$/, '');
}

function findFlag({ target }) {
  const words = target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const field of document.querySelectorAll('#further-flags .field')) {
    const text = field.textContent.toLowerCase();
    field.hidden = !words.every((word) => text.includes(word));
  }
  for (const group of document.querySelectorAll('#further-flags :is(fieldset, .group)')) {
    group.hidden = !group.querySelector('.field:not([hidden])');
    if (group.matches('.group')) group.open = words.length > 0;
  }
}
