import { copyFileSync, cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findings } from '../browser/axe.js';
import { listenForTrouble, openBrowser } from '../browser/chromium.js';
import { exampleDataset, makeTestSidecars, projectRoot, quick, type Sidecar, type TestSidecars } from '../sidecar.js';

/** `npm run pictures`: every page as a phone and a desktop show it, light and dark, to look at. The README's come from here. */
const folder = join(projectRoot, '.cache', 'pictures');
const README: Record<string, string> = { 'home-1280-light': 'home.png', 'session-running-390-dark': 'phone.png' };

const prompts = 'a gngrcat on a roof\na gngrcat, oil painting\na gngrcat in the rain';
const training = { ...quick, concept_sentence: 'gngrcat', sample_prompts: prompts, sample_every_n_steps: 20 };

/** Also on a machine that does much else. */
const PATIENCE_S = 600;

let browser: Browser;
let place: TestSidecars;
let sidecar: Sidecar;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  browser = await openBrowser();
  place = makeTestSidecars();
  cpSync(exampleDataset, join(place.datasets, 'example'), { recursive: true });
  sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.05' });
  const trained = [
    { lora_name: 'Ginger Cat' },
    { lora_name: 'Ginger Cat', learning_rate: '2e-3' },
    { lora_name: 'Inkwash', seed: 7 },
  ];
  for (const more of trained) await start({ ...more, max_train_epochs: 8 });
  for (const name of ['ginger-cat', 'ginger-cat-v2', 'inkwash']) await is(name, 'completed');
  await start({ lora_name: 'Puppy style', max_train_epochs: 30 });
  const { attempts } = await sidecar.until('puppy-style', ({ progress }) => (progress.epoch ?? 0) > 5, PATIENCE_S);
  process.kill(-Number(attempts[0]?.pid), 'SIGKILL');
  await sidecar.send('POST', 'sessions', { ...training, lora_name: 'Lineart', start: false });
  await sidecar.send('PATCH', 'pod', { price: 0.69 });
  await start({ lora_name: 'Ginger Cat', max_train_epochs: 200 });
  await sidecar.until('ginger-cat-v3', ({ progress }) => (progress.step ?? 0) > 300, PATIENCE_S);
});
afterAll(async () => {
  await browser.close();
  await place.leave();
});

const start = async (more: object) => {
  const answer = await sidecar.send('POST', 'sessions', { ...training, ...more, start: true });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
};
const is = (name: string, status: string) => sidecar.until(name, (facts) => facts.status === status, PATIENCE_S);

const pages = {
  home: '',
  'session-running': 'sessions/ginger-cat-v3',
  'session-interrupted': 'sessions/puppy-style',
  'session-completed': 'sessions/ginger-cat-v2',
  'session-draft': 'sessions/lineart',
  charts: 'sessions/ginger-cat-v3/charts',
  samples: 'sessions/ginger-cat-v2/samples',
  log: 'sessions/ginger-cat-v3/log',
  edits: 'sessions/puppy-style/history',
  relaunch: 'sessions/ginger-cat-v2/relaunch',
  loras: 'loras',
  lora: 'loras/ginger-cat',
  compare: 'compare?sessions=ginger-cat&sessions=ginger-cat-v2&sessions=inkwash',
  history: 'history',
  sweeps: 'sweeps',
  templates: 'templates',
  import: 'import',
  queue: 'queue',
  new: 'new?dataset=example',
  datasets: 'datasets',
  dataset: 'datasets/example',
  models: 'models',
  trainers: 'trainers',
  secrets: 'secrets',
  machine: 'machine',
  pod: 'pod',
  cleanup: 'purge',
  trash: 'trash',
  notices: 'notices',
  shares: 'shares',
  api: 'api',
  diagnostics: 'diagnostics',
};

test.each([
  [1280, 900, 'light'],
  [1280, 900, 'dark'],
  [390, 844, 'light'],
  [390, 844, 'dark'],
] as const)('every page at %i × %i, %s', async (width, height, colorScheme) => {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor: 2 });
  const wrong: object[] = [];
  for (const [name, path] of Object.entries(pages)) {
    const page = await context.newPage();
    const trouble = listenForTrouble(page);
    await page.goto(new URL(path, sidecar.url).href);
    await page.waitForTimeout(500);
    // Pictures further down are loaded when they come near.
    await page.evaluate("for (const each of document.images) each.loading = 'eager'");
    await page.evaluate('Promise.all([...document.images].map((each) => each.decode().catch(() => null)))');
    const picture = `${name}-${width}-${colorScheme}`;
    const forReadme = README[picture];
    await page.screenshot({ path: join(folder, `${picture}.png`), fullPage: !forReadme });
    if (forReadme) copyFileSync(join(folder, `${picture}.png`), join(projectRoot, '.readme', forReadme));
    const scrolls: number = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    const found = await findings(page);
    if (trouble.length + scrolls + found.length > 0) wrong.push({ page: path, trouble, scrolls, found });
    await page.close();
  }
  await context.close();
  expect(wrong).toEqual([]);
});
