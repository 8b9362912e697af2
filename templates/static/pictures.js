/* Pictures, captions and archives that are dropped or chosen wait for Upload, and are uploaded with progress. */
import { filesIn } from './droppedFiles.js';
import { isHeic, showProgress, size } from './uploadProgress.js';

const form = /** @type {HTMLFormElement} */ (document.getElementById('upload'));
const root = (form.getAttribute('action') ?? '').replace(/datasets$/, '');
const chooser = field('files');
const report = /** @type {HTMLElement} */ (form.querySelector('.report'));
/** @type {AbortController | null} While files are on their way: how to end it. */
let uploading = null;
// Without the script that sends, the form sends by itself, and says so.
if (!globalThis.sending) throw new Error('sending.js has not arrived');
const { sendFile, makeDataset } = globalThis.sending;
form.querySelector('.unscripted')?.remove();

form.addEventListener('submit', (event) => {
  event.preventDefault();
  upload([...(chooser.files ?? [])]);
});
chooser.addEventListener('change', announce);
field('name').addEventListener('input', () => chooser.files?.length && announce());
for (const name of /** @type {const} */ (['dragover', 'dragleave', 'drop'])) {
  form.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.toggle('over', name === 'dragover');
    if (name === 'drop' && event.dataTransfer) filesIn(event.dataTransfer).then(choose).then(announce);
  });
}
window.addEventListener('beforeunload', (event) => uploading && event.preventDefault());
// Chosen before this script was here.
announce();

/** @param {string} name @returns {HTMLInputElement} */
function field(name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

/** What Upload will do with the chosen files, before anything is sent. */
function announce() {
  const files = [...(chooser.files ?? [])];
  form.querySelector('button')?.classList.toggle('go', files.length > 0);
  if (uploading || files.length === 0) return;
  const captions = files.filter(isCaption).length;
  const counts = [count(files.length - captions, 'file'), ...(captions > 0 ? [count(captions, 'caption')] : [])];
  const photos = files.filter(isHeic).length;
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  const into = field('name').value.trim() || 'the dataset';
  say(
    `${counts.join(' and ')}, ${size(bytes)}: Upload sends them to ${into} as they are, with the place and time`,
    ' that phones write into photos.',
    photos > 0 ? ` ${count(photos, 'HEIC photo')} will be converted to JPEG, without place and time.` : '',
  );
}

/** @param {number} number @param {string} word */
function count(number, word) {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

/** Pictures and archives before captions, three at a time; what is refused is named with its reason, and the rest goes on. @param {File[]} files */
async function upload(files) {
  if (uploading || files.length === 0) return;
  const name = field('name').value.trim();
  if (!name) {
    choose(files);
    field('name').focus();
    say('Name the dataset first. Your files are still selected.');
    return;
  }
  uploading = new AbortController();
  const { signal } = uploading;
  /** @type {Outcome} */
  const total = { accepted: [], converted: [], notes: [], refused: [] };
  let [dataset, made] = [name, false];
  const progress = showProgress(report, files, () => uploading?.abort());
  try {
    if (field('name').type !== 'hidden') {
      const told = (/** @type {News} */ news) => progress.tell(files[0], news);
      ({ name: dataset, made } = await makeDataset({ root, name, told, signal }));
    }
    const folder = `${root}datasets/${encodeURIComponent(dataset)}`;
    const work = [...files.filter((file) => !isCaption(file)), ...files.filter(isCaption)];
    const next = async () => {
      for (let file = work.shift(); file; file = work.shift()) {
        const told = (/** @type {News} */ news) => progress.tell(file, news);
        const done = await sendFile({ folder, file, told, signal });
        total.accepted.push(...done.accepted);
        total.converted.push(...done.converted);
        total.notes.push(...done.notes);
        total.refused.push(...done.refused);
        progress.tell(file, { over: true, arrived: file.size });
      }
    };
    await Promise.all([next(), next(), next()]);
    chooser.value = '';
    // Nobody wants an empty one.
    const kept = !made || total.accepted.length > 0;
    if (kept) await showResult(dataset);
    else await fetch(folder, { method: 'DELETE', headers: { Accept: 'application/json' } }).catch(() => {});
    uploading = null;
    result(dataset, total, kept);
  } catch (error) {
    const left = 'Stopped. What was uploaded is kept for a day. Choose the same files again to continue.';
    say(signal.aborted ? left : String(error instanceof Error ? error.message : error));
    if (!signal.aborted) return choose(files);
    chooser.value = '';
    await showResult(dataset);
  } finally {
    progress.end();
    uploading = null;
  }
}

/** Dropped files, too: so that the button sends them. @param {File[]} files */
function choose(files) {
  const chosen = new DataTransfer();
  for (const file of files) chosen.items.add(file);
  chooser.files = chosen.files;
}

/** @param {File} file */
function isCaption(file) {
  return /\.txt$/i.test(file.name);
}

/** The page shows the pictures that are there now, as the server draws them. @param {string} dataset */
async function showResult(dataset) {
  // Without it the next page shows them.
  if (!globalThis.htmx) return;
  if (form.dataset.then === 'new') {
    const address = `new?${new URLSearchParams({ dataset })}`;
    await drawAnew(address, '#choice', 'outerHTML');
    document.querySelector('input[name=dataset]:checked')?.dispatchEvent(new Event('change', { bubbles: true }));
  }
  if (form.dataset.then === 'stay')
    for (const region of ['#about', '#images', '#kept']) await drawAnew(location.pathname, region, 'outerMorph');
}

/** @param {string} address @param {string} region @param {string} swap */
function drawAnew(address, region, swap) {
  return htmx.ajax('GET', address, { source: region, target: region, select: region, swap });
}

/** @param {string} dataset @param {Outcome} outcome @param {boolean} kept */
function result(dataset, { accepted, converted, notes, refused }, kept) {
  if (form.dataset.then === 'dataset' && refused.length + notes.length === 0) {
    location.href = `${root}datasets/${encodeURIComponent(dataset)}`;
    return;
  }
  const link = Object.assign(document.createElement('a'), { textContent: dataset });
  link.href = `${root}datasets/${encodeURIComponent(dataset)}`;
  const saved = `${count(accepted.length, 'file')} saved in `;
  say(...(kept ? [saved, link, '.'] : [`No file could be used, so dataset ${dataset} was not created.`]));
  const list = document.createElement('ul');
  for (const { file, reason, after_name: words } of refused) {
    const item = document.createElement('li');
    const name = document.createElement('b');
    name.textContent = file;
    item.append(name, words === undefined ? `: ${reason}` : ` ${words}`);
    list.append(item);
  }
  const photos = count(converted.length, 'HEIC photo');
  if (converted.length > 0) notes.unshift(`${photos} ${converted.length === 1 ? 'was' : 'were'} converted to JPEG.`);
  for (const note of notes) list.append(Object.assign(document.createElement('li'), { textContent: note }));
  report.append(list);
}

/** @param {(string | Node)[]} words */
function say(...words) {
  report.replaceChildren(...words);
}
