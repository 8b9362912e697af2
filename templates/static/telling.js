/*
 * A part of trackside.js. Tells what happens to trainings: in the tab's icon and title, in a toast on the page that is looked at, and in
 * a notification where the browser allows it and the reader switched it on (in the menu). Remembers when this browser looked.
 */
const main = /** @type {HTMLElement | null} */ (document.querySelector('[data-looked]'));
const icon = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel=icon]'));
const own = { icon: icon?.href ?? '', title: document.title };
const root = new URL(document.querySelector('.brand')?.getAttribute('href') ?? '', location.href).href;
/** How far this clock is behind the server's, once it is known. Milliseconds. */
let behind = /** @type {number | null} */ (null);
/** What had happened before this page was opened. @type {Set<string> | null} */
let before = null;
/** The reader wants notifications. */
const WISH = 'trackside:notify';
const TOLD = 'trackside:told';
/** It tells of a training of its own: not of the one that will end first. */
let hasOwnTitle = main?.dataset.stream?.includes('without=') ?? false;
let lastSaid = '';
/** @type {import('../../sidecar/views/news.js').News} */
let news = { icon: null, said: null, sample: null, happened: [] };

if (main) begin(main);

/** @param {HTMLElement} main */
function begin(main) {
  main.addEventListener('title', () => {
    hasOwnTitle = true;
  });
  main.addEventListener('news', (event) => {
    news = JSON.parse(dataOf(event));
    before ??= new Set(news.happened.map(({ id }) => id));
    showIcon();
    announce();
    tell();
  });
  main.addEventListener('heartbeat', (event) => {
    behind = Date.parse(dataOf(event)) - Date.now();
    if (!document.hidden) look(main);
  });
  document.addEventListener('visibilitychange', () => {
    look(main);
    tell();
  });
  addEventListener('pagehide', () => look(main));
  setInterval(() => !document.hidden && look(main), 20_000);
  offerNotifications();
}

/** @param {Event} event @returns {string} */
function dataOf(event) {
  return /** @type {CustomEvent<{ data: string }>} */ (event).detail.data;
}

function showIcon() {
  const { icon: shown } = news;
  if (!hasOwnTitle)
    document.title = shown?.percent != null && shown.tone === 'run' ? `${shown.percent} % · ${own.title}` : own.title;
  if (!icon) return;
  icon.href = shown ? `data:image/svg+xml,${encodeURIComponent(drawing(shown))}` : own.icon;
}

/** A ring that fills; a tick or a cross where it has ended. @param {NonNullable<typeof news.icon>} of */
function drawing({ percent, tone }) {
  const colour = { run: '#12a06f', done: '#12a06f', fail: '#d93a30' }[tone];
  const mark = { run: '', done: 'M10 17l4 4 8-10', fail: 'M11 11l10 10M21 11l-10 10' }[tone];
  const ring = (/** @type {string} */ stroke, /** @type {number} */ length) =>
    `<circle cx="16" cy="16" r="13" stroke="${stroke}" pathLength="100" stroke-dasharray="${length} 100" transform="rotate(-90 16 16)"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><g fill="none" stroke-width="6">${ring('#8886', 100)}${ring(
    colour,
    tone === 'run' ? (percent ?? 0) : 100,
  )}<path d="${mark}" stroke="${colour}" stroke-width="4"/></g></svg>`;
}

/** The status of the page's training, when it changes: its percents would be a flood. */
function announce() {
  const said = news.said ?? '';
  const spoken = document.getElementById('spoken');
  if (lastSaid && said !== lastSaid && spoken) spoken.textContent = said;
  lastSaid = said;
}

/** What happened since this page was opened: once in a browser, by the page that is looked at, else by a notification. */
function tell() {
  for (const each of news.happened.toReversed()) {
    if (before?.has(each.id)) continue;
    if (!document.hidden) {
      if (isFirst(each.id))
        document.dispatchEvent(new CustomEvent('say', { detail: { ...each, href: root + each.href } }));
      // A page that is looked at goes first.
    } else if (mayNotify()) setTimeout(() => isFirst(each.id) && void notify(each), 500);
  }
}

/** Has no page of this browser told it? @param {string} id */
function isFirst(id) {
  const all = told();
  if (all.includes(id)) return false;
  localStorage.setItem(TOLD, JSON.stringify([...all, id].slice(-100)));
  return true;
}

/** @param {string} id */
function forget(id) {
  localStorage.setItem(TOLD, JSON.stringify(told().filter((each) => each !== id)));
}

/** Ids of what pages of this browser have told. @returns {string[]} */
function told() {
  return JSON.parse(localStorage.getItem(TOLD) ?? '[]');
}

/** @param {HTMLElement} main */
function look(main) {
  if (behind === null) return;
  const name = main.dataset.looked;
  const kept = document.cookie.split('; ').find((each) => each.startsWith(`${name}=`));
  const since = kept?.split('.')[1];
  if (!since) return;
  const secure = location.protocol === 'https:' ? '; secure' : '';
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store is there on https only
  document.cookie = `${name}=${Date.now() + behind}.${since}; path=/; max-age=2592000; samesite=strict${secure}`;
}

function mayNotify() {
  return localStorage.getItem(WISH) !== null && globalThis.Notification?.permission === 'granted';
}

/** @param {typeof news.happened[number]} each */
async function notify({ id, words, href }) {
  try {
    // A browser that has dropped its worker gets it again; one that is still being started shows nothing.
    await navigator.serviceWorker.register(`${root}notifier.js`);
    const worker = await navigator.serviceWorker.ready;
    await worker.showNotification('Trackside', { body: words, tag: id, icon: own.icon, data: root + href });
  } catch (error) {
    console.warn('A notification could not be shown; you will see it on the page.', error);
    forget(id);
  }
}

/** In the menu: a switch, or why there is none. */
function offerNotifications() {
  const place = document.getElementById('notify');
  if (!place) return;
  const why = whyNot();
  if (why) {
    place.textContent = why;
    return;
  }
  const button = document.createElement('button');
  button.type = 'button';
  const name = () => {
    button.textContent = mayNotify() ? 'Turn off notifications' : 'Turn on notifications';
  };
  button.addEventListener('click', async () => {
    if (mayNotify()) localStorage.removeItem(WISH);
    else if ((await Notification.requestPermission()) === 'granted') {
      // A phone shows notifications of workers alone.
      await navigator.serviceWorker.register(`${root}notifier.js`);
      localStorage.setItem(WISH, '1');
      document.dispatchEvent(
        new CustomEvent('say', {
          detail: { words: 'Trackside will notify you while a page of it is open, even in the background.' },
        }),
      );
    } else place.textContent = whyNot();
    name();
  });
  name();
  place.replaceChildren(button);
}

/** Empty where they can be switched on. */
function whyNot() {
  if (!isSecureContext) return 'No notifications here: browsers allow them only over https.';
  if (!globalThis.Notification || !navigator.serviceWorker)
    return 'No notifications in this browser. On an iPhone, add Trackside to the home screen first.';
  return Notification.permission === 'denied' ? 'Notifications are blocked for this address in the browser.' : '';
}
