import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeTestSidecars, type TestSidecars, until } from '../sidecar.js';
import { openBrowser } from './chromium.js';

let browser: Browser;
let place: TestSidecars;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await place.leave();
});

test('over a slow line the caption that was typed last is the one that stays', async () => {
  const sidecar = await place.serve();
  const page = await (await browser.newContext()).newPage();
  const sent: string[] = [];
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.route('**/captions/*', async (route) => {
    sent.push(route.request().postData() ?? '');
    if (sent.length === 1) await held;
    await route.continue();
  });
  await page.goto(new URL('datasets/example', sidecar.url).href);
  const caption = page.getByLabel('Caption of 02-dusk.png');
  await caption.fill('a cat');
  await until(
    () => sent.length,
    (count) => count === 1,
  );
  await caption.fill('a cat asleep');
  await caption.blur();
  // The second save has to wait for the first, or it would be there before it.
  await page.waitForTimeout(300);
  letGo();
  await page.locator('figure', { has: caption }).getByText('saved', { exact: true }).waitFor();
  expect(sent).toEqual(['a cat', 'a cat asleep']);
  expect(readFileSync(join(place.datasets, 'example', '02-dusk.txt'), 'utf8')).toBe('a cat asleep');
  // What is counted on the page follows, and a picture is removed where one is.
  await caption.fill('');
  await page.locator('#caption-count', { hasText: '10 pictures, 9 captioned' }).waitFor();
  const remove = page.getByRole('button', { name: 'Remove 09-rain.png' });
  await remove.scrollIntoViewIfNeeded();
  const scrolled = await page.evaluate('scrollY');
  await remove.click();
  await page.locator('#caption-count', { hasText: '9 pictures, 8 captioned' }).waitFor();
  expect([await page.evaluate('scrollY'), await page.evaluate("document.activeElement.closest('figure').id")]).toEqual([
    scrolled,
    'image-10-meadow.png',
  ]);
});

test('a caption that was typed just before the page is left is saved', async () => {
  const sidecar = await place.serve();
  const page = await (await browser.newContext()).newPage();
  await page.goto(new URL('datasets/example', sidecar.url).href);
  await page.getByLabel('Caption of 02-dusk.png').fill('typed and gone');
  await page.goto(sidecar.url);
  const file = join(place.datasets, 'example', '02-dusk.txt');
  await until(
    () => (existsSync(file) ? readFileSync(file, 'utf8') : ''),
    (text) => text === 'typed and gone',
  );
});

test('a reload right after typing shows the caption that was typed, not the one before', async () => {
  const sidecar = await place.serve();
  const page = await (await browser.newContext()).newPage();
  await page.goto(new URL('datasets/example', sidecar.url).href);
  const caption = page.getByLabel('Caption of 02-dusk.png');
  await caption.fill('typed just now');
  await page.reload();
  expect(await caption.inputValue()).toBe('typed just now');
});

test('a caption that is typed while there is no line is saved when there is one, also after the page was left', async () => {
  const sidecar = await place.serve();
  const page = await (await browser.newContext()).newPage();
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.type());
    void dialog.accept();
  });
  await page.goto(`${sidecar.url}datasets/example`);
  const caption = page.locator('[data-caption]').nth(3);
  const file = () => sidecar.get<{ files: { caption: string }[] }>('datasets/example');
  const onDisk = async () => (await file()).files[3]?.caption;
  await page.context().setOffline(true);
  await caption.click();
  await caption.fill('typed without a line');
  await page.getByText('not saved: no connection. Trying again').waitFor();
  await page.context().setOffline(false);
  await expect.poll(onDisk, { timeout: 10_000 }).toBe('typed without a line');
  await page.getByText('saved', { exact: true }).waitFor();

  await page.context().setOffline(true);
  await caption.fill('and left');
  await page.getByText('not saved: no connection').waitFor();
  await page.reload().catch(() => {});
  expect(dialogs).toEqual(['beforeunload']);
  await page.context().setOffline(false);
  await page.goto(`${sidecar.url}datasets/example`);
  await expect.poll(onDisk, { timeout: 10_000 }).toBe('and left');
});

test('without their own script captions have a button', async () => {
  const sidecar = await place.serve();
  const page = await (await browser.newContext()).newPage();
  await page.route('**/assets/captions.*.js', (route) => route.abort());
  await page.goto(`${sidecar.url}datasets/example`);
  await page.getByRole('button', { name: 'Save' }).first().waitFor();
  await page.unroute('**/assets/captions.*.js');
  await page.reload();
  await page.getByRole('button', { name: 'Save' }).first().waitFor({ state: 'hidden' });
});
