import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openBadLine } from '../datasets/badLine.js';
import { zip } from '../datasets/zip.js';
import { makeTestSidecars, type TestSidecars } from '../sidecar.js';
import { listenForTrouble, openBrowser } from './chromium.js';

let browser: Awaited<ReturnType<typeof openBrowser>>;
let place: TestSidecars;
let home: string;
beforeAll(async () => {
  [browser, place] = [await openBrowser(), makeTestSidecars()];
  home = await mkdtemp(join(tmpdir(), 'trackside-send-'));
});
afterAll(async () => {
  await browser.close();
  await place.leave();
  await rm(home, { recursive: true, force: true });
});

/** Noise, which no packer makes smaller. */
async function noise(width: number, height: number): Promise<Buffer> {
  const raw = { width, height, channels: 3 } as const;
  return sharp(randomBytes(width * height * 3), { raw })
    .png({ compressionLevel: 0 })
    .toBuffer();
}

/** The same places for bad luck each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

test('through a proxy that takes 1 MB, cuts one body in five and answers 502, everything arrives by itself, byte for byte', async () => {
  const sidecar = await place.serve();
  const port = Number(new URL(sidecar.url).port);
  const line = await openBadLine(port, {
    largestBody: 1_000_000,
    cuts: 0.2,
    badGateway: 0.05,
    longest: 4000,
    random: seeded(5),
  });
  onTestFinished(() => line.close());
  const large = await noise(1200, 1000);
  const inZip = [await noise(600, 500), await noise(500, 600)];
  const given = {
    'large.png': large,
    'small.png': await noise(90, 70),
    'small.txt': Buffer.from('a small one'),
    'more.zip': zip([
      { name: 'cats/1.png', content: inZip[0] as Buffer },
      { name: 'cats/1.txt', content: 'the first' },
      { name: 'cats/2.png', content: inZip[1] as Buffer },
    ]),
  };
  for (const [file, content] of Object.entries(given)) await writeFile(join(home, file), content);
  const page = await browser.newPage();
  const trouble = listenForTrouble(page);
  await page.goto(`${sidecar.url}datasets`);
  await page.goto(page.url().replace(`:${port}/`, `:${new URL(line.url).port}/`));
  await page.fill('#upload-name', 'cats');
  await page.setInputFiles(
    '#upload-files',
    Object.keys(given).map((file) => join(home, file)),
  );
  // Nothing is sent before somebody says so.
  await page.getByText('3 files and 1 caption').waitFor();
  expect((await sidecar.send('GET', 'datasets/cats')).status).toBe(404);
  await page.click('#upload button');
  await page.waitForURL('**/datasets/cats', { timeout: 50_000 });
  expect(await sidecar.get('datasets/cats')).toMatchObject({ images: 4, captions: 2 });
  const lies = async (file: string) => readFile(join(place.datasets, 'cats', file));
  expect((await lies('large.png')).equals(large)).toBe(true);
  expect((await lies('2.png')).equals(inZip[1] as Buffer)).toBe(true);
  expect(`${await lies('1.txt')}`).toBe('the first');
  expect(line.seen.cuts).toBeGreaterThan(2);
  expect(line.seen.tooLarge).toBeGreaterThan(0);
  expect(line.seen.largestBody).toBeLessThanOrEqual(1_000_000);
  expect(trouble.filter((line) => line.startsWith('script'))).toEqual([]);
});

test('a page that lost a script to the line says so, and its forms send all the same', async () => {
  const sidecar = await place.serve();
  const lose = async (script: string) => {
    const page = await browser.newPage();
    await page.route(`**/assets/${script}.*.js`, (route) => route.abort('connectionreset'));
    await page.goto(`${sidecar.url}datasets`);
    await page.locator(script === 'trackside' ? '.bar .unscripted' : '#upload .unscripted').waitFor();
    expect(await page.locator('.unscripted').count()).toBe(1);
    await page.fill('#upload-name', `without-${script}`);
    const picture = { name: 'a.png', mimeType: 'image/png', buffer: await noise(80, 80) };
    await page.setInputFiles('#upload-files', picture);
    await page.click('#upload button');
    await page.waitForURL(`**/datasets/without-${script}`);
    expect(await sidecar.get(`datasets/without-${script}`)).toMatchObject({ images: 1 });
    await page.unroute(`**/assets/${script}.*.js`);
    await page.goto(`${sidecar.url}datasets`);
    await expect.poll(() => page.locator('.unscripted').count()).toBe(0);
  };
  await Promise.all(['trackside', 'sending', 'pictures'].map(lose));
});

test('files that are dropped before there is a name, and sent while there is no line, arrive; nobody is asked whether to leave', async () => {
  const sidecar = await place.serve();
  const page = await browser.newPage();
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.type());
    void dialog.dismiss();
  });
  await page.goto(`${sidecar.url}datasets`);
  const bytes = JSON.stringify([...(await noise(80, 80))]);
  const dropped = await page.evaluateHandle(`{
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(${bytes})], 'a.png', { type: 'image/png' }));
    transfer;
  }`);
  await page.dispatchEvent('#upload', 'drop', { dataTransfer: dropped });
  await page.getByText('1 file, ').waitFor();
  await page.context().setOffline(true);
  await page.fill('#upload-name', 'dropped');
  await page.click('#upload button');
  await page.getByText(/No connection.* Trying again/).waitFor();
  await page.context().setOffline(false);
  await page.waitForURL('**/datasets/dropped');
  expect(await sidecar.get('datasets/dropped')).toMatchObject({ images: 1 });
  expect(dialogs).toEqual([]);
});

test('after an upload the page of the dataset says nothing any more that was so before', async () => {
  const sidecar = await place.serve();
  const picture = await noise(700, 700);
  await sidecar.send('POST', 'datasets', { name: 'half' });
  const page = await browser.newPage();
  await sidecar.send('POST', 'datasets/half/uploads', { file: 'other.png', bytes: 6_000_000 });
  await page.goto(`${sidecar.url}datasets/half`);
  await page.getByText('0 pictures, no captions').waitFor();
  await page.getByText('other.png is incomplete').waitFor();
  await page.setInputFiles('#upload-files', { name: 'a.png', mimeType: 'image/png', buffer: picture });
  await page.click('#upload button');
  await page.locator('figure').waitFor();
  await page.getByText('1 picture, no captions').waitFor();
  await page.getByText('1 file saved in half.').waitFor();
});

test('files that can all not be used leave no dataset behind', async () => {
  const sidecar = await place.serve();
  const page = await browser.newPage();
  await page.goto(`${sidecar.url}datasets`);
  await page.fill('#upload-name', 'nothing');
  await page.setInputFiles('#upload-files', {
    name: 'a.png',
    mimeType: 'image/png',
    buffer: Buffer.from('no picture'),
  });
  await page.click('#upload button');
  await page.getByText('No file could be used, so dataset nothing was not created.').waitFor();
  await page.getByText(/a\.png.*not a PNG/).waitFor();
  expect((await sidecar.send('GET', 'datasets/nothing')).status).toBe(404);
});

test('files that are chosen before the page’s scripts are there wait for Upload once they are', async () => {
  const sidecar = await place.serve();
  const page = await browser.newPage();
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.route('**/assets/pictures.*.js', async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`${sidecar.url}datasets`, { waitUntil: 'commit' });
  await page.fill('#upload-name', 'early');
  const picture = { name: 'a.png', mimeType: 'image/png', buffer: await noise(80, 80) };
  await page.setInputFiles('#upload-files', picture);
  letGo();
  await page.getByText('1 file, ').waitFor();
  await page.click('#upload button');
  await page.waitForURL('**/datasets/early');
  expect(await sidecar.get('datasets/early')).toMatchObject({ images: 1 });
});
