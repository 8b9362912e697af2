import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTestSidecars, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { openWholeBrowser } from './chromium.js';

let browser: Browser;
let place: TestSidecars;
let sidecar: Sidecar;
let context: BrowserContext;
let home: Page;
let other: Page;
/** Of the test of notifications: what it has switched on and shown stays. */
let tries = 0;

beforeAll(async () => {
  browser = await openWholeBrowser('pod.example');
  place = makeTestSidecars();
  sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.05', TRACKSIDE_ALLOWED_HOSTS: 'pod.example' });
  context = await browser.newContext({ permissions: ['notifications'] });
  home = await open('');
  other = await open('datasets');
});
afterAll(async () => {
  await browser.close();
  await place.leave();
});

async function open(path: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(new URL(path, sidecar.url).href);
  return page;
}

/** Chromium without a screen shows every page: this one says that it is hidden, or no longer. */
function hide(page: Page, hidden: boolean): Promise<void> {
  return page.evaluate(
    `Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} });
    document.dispatchEvent(new Event('visibilitychange'));`,
  );
}

async function start(lora_name: string, max_train_epochs: number): Promise<void> {
  await sidecar.send('POST', 'sessions', { ...quick, lora_name, max_train_epochs, start: true });
}

/** Ends a trainer as the kernel would, and leaves its runner to tell. */
async function kill(name: string): Promise<void> {
  const { attempts } = await sidecar.until(name, ({ progress }) => (progress.step ?? 0) > 2);
  process.kill(-Number(attempts.at(-1)?.pid), 'SIGKILL');
}

test('title and icon of every tab carry progress, and the tab that is looked at tells the end', async () => {
  await hide(other, true);
  await start('cat', 8);
  for (const page of [home, other])
    await until(
      () => page.title(),
      (title) => /\d+ % · /.test(title),
    );
  const icon = await other.evaluate("document.querySelector('link[rel=icon]').href");
  expect(decodeURIComponent(String(icon))).toMatch(/^data:image\/svg\+xml,<svg .*stroke-dasharray="\d+ 100"/);
  const words = async () =>
    (await Promise.all([home, other].map((page) => page.locator('#toasts').innerText()))).join('');
  const told = await until(words, (all) => all.includes('completed'), 40);
  expect(told.match(/cat V1 completed\./g)).toHaveLength(1);
  // It stays until it is closed, and leads to the training.
  const toast = [home, other].map((page) => page.locator('.toast', { hasText: 'completed' }));
  const [shown] = (await Promise.all(toast.map((each) => each.all()))).flat();
  expect(await shown?.getByRole('link', { name: 'Show' }).getAttribute('href')).toBe(`${sidecar.url}sessions/cat`);
  await shown?.getByRole('button', { name: 'Close' }).click();
});

test('a notification tells it where nobody looks, once it is switched on in the menu; plain http says why it can not', async () => {
  tries += 1;
  const more = home.locator('summary', { hasText: 'More' });
  await more.click();
  if (tries === 1) await home.getByRole('button', { name: 'Turn on notifications' }).click();
  await home.getByRole('button', { name: 'Turn off notifications' }).waitFor();
  await more.click();
  // A notification that nobody closes goes after some seconds: what was shown is kept.
  await home.evaluate(`globalThis.shown = [];
    setInterval(async () => {
      const worker = await navigator.serviceWorker.getRegistration();
      for (const { body } of await worker.getNotifications()) if (!shown.includes(body)) shown.push(body);
    }, 100);`);
  for (const page of [home, other]) await hide(page, true);
  await start(`dog${tries}`, 200);
  await kill(`dog${tries}`);
  const notes = () =>
    home.evaluate<{ shown: string[] }>(
      '({ shown, told: localStorage.getItem("trackside:told"), allowed: Notification.permission, title: document.title })',
    );
  const { shown } = await until(notes, (now) => now.shown.length > 0, 40);
  for (const page of [home, other]) await hide(page, false);
  expect(shown).toEqual([expect.stringMatching(/^dog\d V1 was interrupted: /)]);

  const plain = await (await browser.newContext()).newPage();
  await plain.goto(sidecar.url.replace('127.0.0.1', 'pod.example'));
  expect(await plain.locator('#notify').textContent()).toBe(
    'No notifications here: browsers allow them only over https.',
  );
});

test('what the browser refuses to show as a notification is told by the page that is looked at next', async () => {
  // Notifications were switched on, and are forbidden by now: the page in the background has not heard of it.
  const forbidden = await browser.newContext();
  const [behind, front] = [await forbidden.newPage(), await forbidden.newPage()];
  await behind.addInitScript(`localStorage.setItem('trackside:notify', '1');
    Object.defineProperty(Notification, 'permission', { get: () => 'granted' });`);
  for (const page of [behind, front]) {
    await page.addInitScript("addEventListener('news', () => (globalThis.heard = true), true)");
    await page.goto(sidecar.url);
    // What had ended before that is no news to it.
    await until(
      () => page.evaluate('globalThis.heard'),
      (heard) => heard === true,
    );
    await hide(page, true);
  }
  const refused = behind.waitForEvent('console', {
    predicate: (said) => said.text().startsWith('A notification could not be shown'),
    timeout: 50_000,
  });
  await start('fox', 2);
  await refused;
  await hide(front, false);
  await front.locator('.toast', { hasText: /fox V\d completed\./ }).waitFor();
  expect(await behind.locator('.toast').count()).toBe(0);
  await forbidden.close();
});

test('the home page says what happened since this browser looked last, over a reload, until it is dismissed', async () => {
  const page = await open('machine');
  const [cookie] = (await context.cookies()).filter(({ name }) => name.startsWith('trackside-looked-'));
  if (!cookie) throw new Error('no look was kept');
  // Two minutes ago: what has ended since was seen by nobody.
  for (const each of [home, other, page]) await each.close();
  const ago = Date.now() - 120_000;
  await context.addCookies([{ ...cookie, value: `${ago}.${ago}` }]);
  home = await open('');
  const line = home.getByRole('region', { name: 'Since you last looked' });
  expect(await line.innerText()).toMatch(/dog\d V1 was interrupted: .*cat V1 completed\./s);
  await home.reload();
  expect(await line.innerText()).toContain('cat V1 completed.');
  await line.getByRole('button', { name: 'Dismiss' }).click();
  await line.waitFor({ state: 'hidden' });
  await home.reload();
  expect(await line.count()).toBe(0);
});

test('a phone can keep Trackside among its apps: what the manifest names is there', async () => {
  const manifest = await sidecar.get<{ start_url: string; icons: { src: string; sizes: string }[] }>(
    'manifest.webmanifest',
  );
  expect(manifest.start_url).toBe('./');
  for (const { src } of manifest.icons) {
    const icon = await fetch(new URL(src, sidecar.url));
    expect([icon.status, icon.headers.get('content-type')]).toEqual([200, 'image/png']);
  }
});

test('without contact the page is grey and says as of when, and is itself again afterwards', async () => {
  const { port } = new URL(sidecar.url);
  await sidecar.kill('SIGKILL');
  await home.getByText(/No contact since/).waitFor();
  const after = await home.evaluate(
    "getComputedStyle(document.querySelector('main .status'), '::after').content + document.documentElement.className",
  );
  expect(after).toMatch(/as of \d\d:\d\d".*stale/);
  sidecar = await place.serve({ TRACKSIDE_PORT: port });
  await home.getByText(/No contact since/).waitFor({ state: 'hidden' });
  expect(await home.evaluate("document.documentElement.classList.contains('stale')")).toBe(false);
});
