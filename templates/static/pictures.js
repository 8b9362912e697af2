/* Pictures and captions: dropped files are uploaded one by one with progress, captions are saved while they are typed. */
const form = document.getElementById('upload');
const root = form.getAttribute('action').replace(/datasets$/, '');
/** Captions that were typed into and not sent yet, with their timers; and the last save of each. */
const waiting = new Map();
const saves = new WeakMap();

form.addEventListener('submit', (event) => {
  event.preventDefault();
  upload([...form.elements.files.files]);
});
form.elements.files.addEventListener('change', () => {
  if (form.elements.name.value || form.elements.name.type === 'hidden') upload([...form.elements.files.files]);
});
for (const name of ['dragover', 'dragleave', 'drop']) {
  form.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.toggle('over', name === 'dragover');
    if (name === 'drop') upload([...event.dataTransfer.files]);
  });
}
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
window.addEventListener('beforeunload', (event) => uploading && event.preventDefault());
window.addEventListener('pagehide', () => {
  const texts = [...waiting.keys()].map((caption) => [addressOf(caption), caption.value]);
  if (texts.length > 0) sessionStorage.setItem(left, JSON.stringify({ at: Date.now(), texts }));
  for (const caption of waiting.keys()) sendCaption(caption);
});

const left = 'trackside:captions';
const lastWords = takeLastWords();
putBack();
document.addEventListener('htmx:after:swap', putBack);

let uploading = false;

/** Pictures before captions, three at a time; what is refused is named with its reason, and the rest goes on. */
async function upload(files) {
  const [pictures, captions] = [files.filter((file) => !isCaption(file)), files.filter(isCaption)];
  if (uploading || files.length === 0) return;
  const name = form.elements.name.value.trim();
  if (!name) {
    form.elements.name.focus();
    report('Give the dataset a name first: the files are still chosen.');
    return;
  }
  uploading = true;
  try {
    const dataset = await makeDataset(name);
    const bar = report('', files);
    const refused = [];
    const work = [...pictures, ...captions];
    let sent = 0;
    const next = async () => {
      for (let file = work.shift(); file; file = work.shift()) {
        const reason = await send(dataset, file, bar);
        if (reason) refused.push({ file: file.name, reason });
        else sent += 1;
      }
    };
    await Promise.all([next(), next(), next()]);
    await showResult(dataset);
    result(dataset, sent, refused);
  } catch (error) {
    report(error.message);
  } finally {
    uploading = false;
    form.elements.files.value = '';
  }
}

function isCaption(file) {
  return /\.txt$/i.test(file.name);
}

/** One that exists takes the files, too. Returns its name as the server spells it. */
async function makeDataset(name) {
  const response = await fetch(`${root}datasets`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ name }),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer.name;
  const existing = response.status === 409 && answer.error?.link?.replace('datasets/', '');
  if (existing) return decodeURIComponent(existing);
  throw new Error(answer.error?.message ?? `The dataset could not be made (${response.status}). Nothing was uploaded.`);
}

/** Resolves to null, or to why the file was not taken. `fetch` cannot tell how far an upload is. */
function send(dataset, file, bar) {
  const folder = `${root}datasets/${encodeURIComponent(dataset)}`;
  const address = isCaption(file)
    ? `${folder}/captions/${encodeURIComponent(file.name.replace(/\.txt$/i, ''))}`
    : `${folder}/images/${encodeURIComponent(file.name)}`;
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    let counted = 0;
    const count = (loaded) => {
      bar.value += loaded - counted;
      counted = loaded;
    };
    request.upload.addEventListener('progress', ({ loaded }) => count(Math.min(loaded, file.size)));
    request.addEventListener('load', () => {
      count(file.size);
      resolve(request.status < 300 ? null : reasonIn(request));
    });
    request.addEventListener('error', () => resolve('the connection broke; send it again'));
    request.open('PUT', address);
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader(
      'Content-Type',
      isCaption(file) ? 'text/plain; charset=utf-8' : 'application/octet-stream',
    );
    request.send(file);
  });
}

function reasonIn(request) {
  try {
    return JSON.parse(request.responseText).error.message;
  } catch {
    return `refused with status ${request.status}`;
  }
}

/** The page shows the pictures that are there now, as the server draws them. */
async function showResult(dataset) {
  const target = form.dataset.then === 'new' ? '#pictures' : '#images';
  if (!document.querySelector(target)) return;
  if (target === '#images') return htmx.ajax('GET', location.pathname, { source: target, target, swap: 'innerMorph' });
  const address = `new?${new URLSearchParams({ dataset })}`;
  await htmx.ajax('GET', address, { source: target, target, select: target, swap: 'outerHTML' });
  document.querySelector('input[name=dataset]:checked')?.dispatchEvent(new Event('change', { bubbles: true }));
}

function result(dataset, sent, refused) {
  if (form.dataset.then === 'dataset' && refused.length === 0) {
    location.href = `${root}datasets/${encodeURIComponent(dataset)}`;
    return;
  }
  report(`${sent} ${sent === 1 ? 'file is' : 'files are'} in ${dataset}.`);
  const list = document.createElement('ul');
  for (const { file, reason } of refused) {
    const item = document.createElement('li');
    const name = document.createElement('b');
    name.textContent = file;
    // Most reasons begin with the name already.
    item.append(name, reason.startsWith(file) ? reason.slice(file.length) : `: ${reason}`);
    list.append(item);
  }
  form.querySelector('.report').append(list);
}

/** Says it under the button; with files, as a progress bar over their bytes, which is returned. */
function report(text, files) {
  const place = form.querySelector('.report');
  place.replaceChildren(text);
  if (!files) return null;
  const bar = document.createElement('progress');
  bar.max = files.reduce((sum, { size }) => sum + size, 0) || 1;
  bar.value = 0;
  bar.setAttribute('aria-label', 'Upload');
  place.append(`Uploading ${files.length} ${files.length === 1 ? 'file' : 'files'}`, bar);
  return bar;
}

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
