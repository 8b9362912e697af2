import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BadLine, type Limits, openBadLine } from '../datasets/badLine.js';
import { makeTestSidecars, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { listenForTrouble, openBrowser } from './chromium.js';

let browser: Browser;
let place: TestSidecars;
let sidecar: Sidecar;
let context: BrowserContext;
let line: BadLine;
const limits: Limits = { largestBody: 2 ** 30 };
const tabs: Page[] = [];

const PAGES = ['', 'sessions/cat', 'sessions/cat', 'sessions/cat/log', 'sessions/cat/charts'];

beforeAll(async () => {
  browser = await openBrowser();
  place = makeTestSidecars();
  sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.05' });
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 900, start: true });
  await sidecar.until('cat', ({ progress }) => (progress.step ?? 0) > 5);
  line = await openBadLine(Number(new URL(sidecar.url).port), limits);
  context = await browser.newContext();
});
afterAll(async () => {
  await line.close();
  await browser.close();
  await place.leave();
});

/** The last step that each tab knows of: home, session and charts say it in their title or banner, a log in its last line. */
async function stepsShown(): Promise<number[]> {
  const percents = await Promise.all(tabs.map((tab) => tab.evaluate('document.title')));
  return percents.map((title) => Number(/([\d.]+) %/.exec(String(title))?.[1] ?? -1));
}

/** Seconds until each tab shows what is so now, or later. */
async function rightAgain(within: number): Promise<void> {
  const { percent } = (await sidecar.session('cat')).progress;
  await until(stepsShown, (shown) => shown.every((each) => each >= Math.floor(percent ?? 0)), within);
}

test('ten tabs of one browser are all live over one connection, and an eleventh loads at once', async () => {
  for (const path of [...PAGES, ...PAGES]) {
    const tab = await context.newPage();
    await tab.goto(new URL(path, line.url).href);
    tabs.push(tab);
  }
  const trouble = tabs.flatMap(listenForTrouble);
  await rightAgain(5);
  const eleventh = await context.newPage();
  await eleventh.goto(new URL('datasets', line.url).href, { timeout: 5000 });
  await eleventh.close();
  await rightAgain(5);
  expect(trouble).toEqual([]);
});
