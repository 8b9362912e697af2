/* Pictures, captions and archives that are dropped or chosen wait for Upload, and are uploaded with progress. */
const form = /** @type {HTMLFormElement} */ (document.getElementById('upload'));
const root = (form.getAttribute('action') ?? '').replace(/datasets$/, '');
const chooser = field('files');
const report = /** @type {HTMLElement} */ (form.querySelector('.report'));
/** @type {AbortController | null} While files are on their way: how to end it. */
let uploading = null;
/** @type {[number, string][]} */
const UNITS = [
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
];

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
  const progress = showProgress(files);
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

/** @param {File} file */
function isHeic(file) {
  return /\.hei[cf]$/i.test(file.name);
}

/** What was dropped; of a folder the files directly in it. @param {DataTransfer} dropped */
async function filesIn(dropped) {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry?.());
  const plain = [...dropped.files].filter((_, index) => !entries[index]?.isDirectory);
  const folders = await Promise.all(entries.filter(isFolder).map(filesOf));
  return [...plain, ...folders.flat()];
}

/** @param {FileSystemEntry | null | undefined} entry @returns {entry is FileSystemDirectoryEntry} */
function isFolder(entry) {
  return entry?.isDirectory ?? false;
}

/** @param {FileSystemEntry} entry @returns {entry is FileSystemFileEntry} */
function isVisibleFile(entry) {
  return entry.isFile && !entry.name.startsWith('.');
}

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<File[]>} */
async function filesOf(folder) {
  const reader = folder.createReader();
  /** @type {File[]} */
  const files = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return files;
    files.push(...(await Promise.all(some.filter(isVisibleFile).map(fileOf))));
  }
}

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
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

/** A bar over the bytes that have arrived, with what is left in words. What is on its way is not counted. @param {File[]} files */
function showProgress(files) {
  const bytes = files.reduce((sum, { size }) => sum + size, 0) || 1;
  const bar = Object.assign(document.createElement('progress'), { max: bytes, value: 0 });
  bar.setAttribute('aria-label', 'Upload');
  const words = document.createElement('p');
  const trouble = Object.assign(document.createElement('p'), { className: 'error' });
  const stop = Object.assign(document.createElement('button'), {
    type: 'button',
    className: 'small',
    textContent: 'Stop',
  });
  stop.addEventListener('click', () => uploading?.abort());
  report.replaceChildren(words, bar, trouble, stop);
  /** @type {Map<File, News & { arrived: number }>} */
  const news = new Map(files.map((file) => [file, { arrived: 0 }]));
  /** @type {Seen[]} */
  const seen = [];
  const show = () => {
    const all = [...news.values()];
    const arrived = all.reduce((sum, each) => sum + each.arrived, 0);
    seen.push({ at: performance.now(), arrived });
    while (seen.length > 2 && performance.now() - seen[0].at > 20_000) seen.shift();
    bar.value = arrived;
    const over = all.filter((each) => each.over).length;
    const parts = [
      `${size(arrived)} of ${size(bytes)} uploaded`,
      `${over} of ${files.length} files`,
      ...rate(seen, bytes),
    ];
    for (const [file, { unpacked, over, arrived }] of news) {
      if (over || (!unpacked && !(isHeic(file) && arrived === file.size))) continue;
      if (!unpacked) parts.push(`converting ${file.name}`);
      else parts.push(`unpacking ${file.name}: ${size(unpacked.done)} of ${size(unpacked.total)}`);
      break;
    }
    words.textContent = parts.join(' · ');
    const waiting = all.find((each) => each.waiting && !each.over)?.waiting;
    trouble.textContent = waiting ? `${waiting.why}. Trying again. Nothing uploaded is lost.` : '';
  };
  show();
  const timer = setInterval(show, 1000);
  return {
    /** @param {File} file @param {News} change */
    tell(file, change) {
      Object.assign(news.get(file) ?? {}, change);
      show();
    },
    end: () => clearInterval(timer),
  };
}

/** @typedef {{ at: number, arrived: number }} Seen */

/** @param {Seen[]} seen @param {number} bytes */
function rate(seen, bytes) {
  const [first, last] = [seen[0], seen[seen.length - 1]];
  const seconds = (last.at - first.at) / 1000;
  const speed = seconds > 3 ? (last.arrived - first.arrived) / seconds : 0;
  if (speed <= 0 || last.arrived === bytes) return [];
  const left = (bytes - last.arrived) / speed;
  return [`${size(speed)}/s`, `about ${left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`} left`];
}

/** As the rest of the page writes it. @param {number} bytes */
function size(bytes) {
  for (const [unit, name] of UNITS)
    if (bytes >= unit)
      return `${bytes < 9.95 * unit ? (bytes / unit).toFixed(1).replace('.0', '') : Math.round(bytes / unit)} ${name}`;
  return `${Math.round(bytes)} B`;
}
