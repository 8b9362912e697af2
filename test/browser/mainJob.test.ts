import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  exampleDataset,
  makeTestSidecars,
  projectRoot,
  quick,
  type Sidecar,
  type TestSidecars,
  until,
} from '../sidecar.js';
import { listenForTrouble, openBrowser } from './chromium.js';

let browser: Browser;
let place: TestSidecars;
let sidecar: Sidecar;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  place = makeTestSidecars();
  sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.05' });
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await place.leave();
});

const four = ['01-morning', '02-dusk', '03-night', '04-desert'];
const files = four.flatMap((stem) => [join(exampleDataset, `${stem}.png`), join(exampleDataset, `${stem}.txt`)]);

test('upload, start, watch, reload, second tab, stop, resume, completed, download: the whole main job', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const trouble = listenForTrouble(page);
  await page.goto(sidecar.url);
  await page.getByRole('link', { name: 'New training' }).first().click();
  // With its scripts: without them the form is sent by the browser, which tells less.
  await page.waitForURL(/\/new\b/);

  await page.getByLabel('Dataset name').fill('My cats');
  await page.locator('#upload-files').setInputFiles(files);
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.getByText('8 files saved in').waitFor();
  expect(await page.locator('#images figure').count()).toBe(4);
  await page.locator('#captions > summary').click();
  const caption = page.getByLabel('Caption of 02-dusk.png');
  expect(await caption.inputValue()).toContain('trks style');
  await caption.fill("Lotte's cat 🐈, asleep");
  await page.locator('figure', { has: caption }).getByText('saved', { exact: true }).waitFor();
  expect(readFileSync(join(place.datasets, 'My cats', '02-dusk.txt'), 'utf8')).toBe("Lotte's cat 🐈, asleep");

  await page.getByLabel('LoRA name').fill('My Cat');
  await page.getByLabel('Trigger word').fill('sk cat');
  await page.getByLabel('Epochs', { exact: true }).fill('4');
  await page.getByLabel('Repeats per picture').fill('10');
  await page.getByText('Advanced').click();
  await page.getByLabel('Save every').fill('1');
  await page.getByText('= 160 steps').waitFor();
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.waitForURL(/sessions\/my-cat$/);

  const step = async (of: Page) =>
    Number((/\d+/.exec((await of.locator('#facts b').first().textContent()) ?? '') ?? ['0'])[0]);
  await until(
    () => step(page),
    (now) => now >= 2,
  );
  const seen = await step(page);
  await until(
    () => step(page),
    (now) => now > seen + 2,
  );
  await until(
    () => page.locator('#log').textContent(),
    (text) => /steps:.*\d+\/160/.test(text ?? ''),
  );

  await page.reload();
  expect(await step(page)).toBeGreaterThan(seen);
  expect(await page.locator('#log').textContent()).toContain('epoch 1/4');

  const second = await context.newPage();
  await second.goto(sidecar.url);
  const card = second.locator('#banner').getByText('My Cat').first();
  await card.waitFor();
  await until(
    () => step(page),
    (now) => now >= 43,
  );
  await page.getByRole('button', { name: 'Stop… My Cat V1' }).click();
  await page.getByRole('button', { name: 'Stop now' }).click();
  await page.locator('#head').getByText('Stopped · by you').waitFor({ timeout: 20_000 });
  await second.locator('#banner').getByText('Stopped · by you').waitFor();
  await second
    .locator('#banner')
    .getByText(/^my-cat-00000\d-state$/)
    .waitFor();

  await second
    .locator('#banner')
    .getByRole('button', { name: /^Resume My Cat/ })
    .click();
  await page
    .locator('#head')
    .getByText(/Running|Starting/)
    .first()
    .waitFor();
  await page.locator('#head').getByText('Completed').waitFor({ timeout: 30_000 });
  expect(await step(page)).toBe(160);

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download the LoRA' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('my-cat.safetensors');
  const path = join(place.folder, 'downloaded.safetensors');
  await download.saveAs(path);
  expect(loadSafetensors(path)).toMatch(/lora_down|lora_up/);
  expect(trouble).toEqual([]);
});

test('a reload of the form, or an answer that refuses, keeps all that was typed', async () => {
  const page = await browser.newPage();
  await page.goto(new URL('new?dataset=example', sidecar.url).href);
  await page.getByLabel('Trigger word').fill("it's 🐈");
  await page.getByLabel('Epochs', { exact: true }).fill('7');
  await page.reload();
  expect(await page.getByLabel('Trigger word').inputValue()).toBe("it's 🐈");
  expect(await page.getByLabel('Epochs', { exact: true }).inputValue()).toBe('7');
  await page.getByText('Advanced').click();
  await page.getByLabel('Learning rate').fill('fast');
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.getByText('Please check:').waitFor();
  expect(await page.getByLabel('Trigger word').inputValue()).toBe("it's 🐈");
  expect(await page.getByLabel('Learning rate').inputValue()).toBe('fast');
  expect(await page.locator('[aria-invalid]').count()).toBe(2);
  await page.getByLabel('Learning rate').fill('1e-3');
  expect(await page.locator('[aria-invalid]').count()).toBe(1);
  expect(await sidecar.get('sessions')).toEqual([]);
});

test('without JavaScript: upload, caption, start, watch by reloading, stop, resume', async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(new URL('datasets', sidecar.url).href);
  await page.locator('input[name=name]').fill('plain');
  await page.locator('#upload-files').setInputFiles(files);
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.goto(new URL('datasets/plain', sidecar.url).href);
  const first = page.locator('figure').first();
  await first.locator('textarea').fill('by hand\nin two lines');
  await first.getByRole('button', { name: 'Save' }).click();
  expect(readFileSync(join(place.datasets, 'plain', '01-morning.txt'), 'utf8')).toBe('by hand\nin two lines');

  await page.goto(new URL('new?dataset=plain', sidecar.url).href);
  await page.getByLabel('LoRA name').fill('plain');
  await page.getByLabel('Epochs', { exact: true }).fill('3');
  await page.getByText('Advanced').click();
  await page.getByLabel('Save every').fill('1');
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.waitForURL(/sessions\/plain$/);
  await sidecar.until('plain', (facts) => facts.resume !== null || (facts.progress.step ?? 0) > 45);
  await page.reload();
  expect(await page.locator('#facts').textContent()).toMatch(/of 120 steps/);
  await page.getByRole('button', { name: 'Stop… plain V1' }).click();
  await page.getByRole('button', { name: 'Stop now' }).click();
  await sidecar.until('plain', (facts) => facts.status === 'stopped');
  await page.goto(sidecar.url);
  await page
    .locator('#banner')
    .getByRole('button', { name: /^Resume plain/ })
    .click();
  await sidecar.until('plain', (facts) => facts.status === 'completed', 30);
  await page.reload();
  expect(await page.locator('#sessions').textContent()).toContain('Completed');
});

test('the page says when it has lost contact, keeps what it could not send, and is right again when the sidecar is back', async () => {
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 30, start: true });
  const page = await browser.newPage();
  await page.clock.install();
  await page.goto(sidecar.url);
  await page
    .locator('#banner')
    .getByText(/Running · /)
    .waitFor();
  const { port } = new URL(sidecar.url);
  await sidecar.kill('SIGKILL');
  await page.clock.fastForward(50_000);
  await page.getByText(/No contact/).waitFor();
  // The page stays, and what could not be sent can be sent again.
  await page.getByRole('button', { name: 'Stop… cat V1' }).click();
  await page.getByRole('button', { name: 'Stop now' }).click();
  await page.getByText('Not sent: no contact with Trackside.').waitFor();
  // Nothing stands above the button that sends it again.
  expect(await page.locator('.sheet:popover-open').count()).toBe(0);
  const again = await place.serve({ TRACKSIDE_PORT: port });
  const { step } = (await again.session('cat')).progress;
  await page.clock.runFor(60_000);
  await page.getByText(/No contact/).waitFor({ state: 'hidden' });
  await until(
    async () => Number(/step (\d+)/.exec((await page.locator('#banner').textContent()) ?? '')?.[1] ?? 0),
    (now) => now >= (step ?? 0),
  );
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('#banner').getByText('Stopped · by you').waitFor({ timeout: 20_000 });
});

test('a sidecar that died is told within seconds; a stream that is cut and begins again at once is not', async () => {
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 60, start: true });
  const { port } = new URL(sidecar.url);
  const sockets = new Set<Socket>();
  const relay = createServer((socket) => {
    const there = connect(Number(port), '127.0.0.1');
    for (const end of [socket, there])
      end.on('error', () => {}).on('close', () => [socket, there].map((each) => each.destroy()));
    socket.pipe(there).pipe(socket);
    sockets.add(socket);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(relay.address() as AddressInfo).port}/`);
  await page.evaluate(`{
    const notice = document.getElementById('contact');
    window.said = [];
    new MutationObserver(() => window.said.push(notice.textContent)).observe(notice, { childList: true });
  }`);
  const stepShown = async () =>
    Number(/step (\d+)/.exec((await page.locator('#banner').textContent()) ?? '')?.[1] ?? 0);
  for (let cuts = 0; cuts < 4; cuts += 1) {
    const before = await until(stepShown, (step) => step > 0);
    for (const socket of sockets) socket.destroy();
    await until(stepShown, (step) => step > before + 2);
  }
  expect(await page.evaluate('window.said')).toEqual([]);
  await sidecar.kill('SIGKILL');
  await page.getByText(/No contact/).waitFor({ timeout: 10_000 });
  relay.close();
  for (const socket of sockets) socket.destroy();
});

test('a double click on Copy copies, and the button is itself again; an ended session follows no log', async () => {
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', start: true });
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(`${sidecar.url}sessions/cat`);
  await page.locator('#following', { hasText: /^following$/ }).waitFor();
  await page.getByText('Files on the pod').click();
  const button = page.getByRole('button', { name: 'Copy the path: Session' });
  await button.dblclick();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  await page.clock.runFor(4000);
  expect(await page.getByRole('button', { name: 'Copied' }).count()).toBe(0);
  await button.waitFor();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(join(place.outputs, 'cat'));
  await page.locator('#head').getByText('Completed').waitFor({ timeout: 30_000 });
  await until(
    () => page.locator('#following').textContent(),
    (words) => words === '',
  );
});

test('a double click on Resume, and the back button after Start, make no second trainer', async () => {
  const page = await browser.newPage();
  await page.goto(new URL('new?dataset=example', sidecar.url).href);
  await page.getByLabel('LoRA name').fill('cat');
  await page.getByRole('button', { name: 'Start training' }).dblclick();
  await page.waitForURL(/sessions\/cat$/);
  await page.goBack();
  await page.goForward();
  await sidecar.until('cat', (facts) => facts.progress.step !== null && facts.progress.step > 2);
  const sessions = await sidecar.get<{ name: string; attempts: unknown[] }[]>('sessions');
  expect(sessions.map(({ name, attempts }) => [name, attempts.length])).toEqual([['cat', 1]]);
});

const LOOKS = [390, 1280].flatMap((width) => (['light', 'dark'] as const).map((colors) => [width, colors] as const));

test('at 390 and 1280 pixels, light and dark, nothing sticks out of any page', async () => {
  await sidecar.send('POST', 'sessions', {
    ...quick,
    lora_name: 'A long name of a LoRA that somebody gave it at night',
    start: true,
  });
  const name = 'a-long-name-of-a-lora-that-somebody-gave-it-at-night';
  await sidecar.until(name, (facts) => (facts.progress.step ?? 0) > 1);
  const page = await browser.newPage();
  const trouble = listenForTrouble(page);
  for (const path of [
    '',
    'new?dataset=example',
    `sessions/${name}`,
    `sessions/${name}/samples`,
    `sessions/${name}/history`,
    'datasets',
    'datasets/example',
    'trainers',
    'nowhere',
  ]) {
    await page.setViewportSize({ width: 390, height: 800 });
    await page.goto(new URL(path, sidecar.url).href);
    for (const [width, colorScheme] of LOOKS) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      const sticksOut = await page.evaluate(
        `[document.documentElement, ...document.querySelectorAll('.wide:has(.attempts, .copies)')]
          .filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.className || each.nodeName)`,
      );
      expect([path, width, colorScheme, sticksOut]).toEqual([path, width, colorScheme, []]);
    }
  }
  expect(trouble.filter((each) => !each.includes('404'))).toEqual([]);
});

function loadSafetensors(path: string): string {
  const script = 'import sys; from safetensors.numpy import load_file; print(" ".join(load_file(sys.argv[1])))';
  const env = { ...process.env, PYTHONPATH: join(projectRoot, '.cache', 'python') };
  return execFileSync('python3', ['-c', script, path], { env, encoding: 'utf8' });
}
