import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { quick } from '../sidecar.js';
import { findings } from './axe.js';
import { browser, onStage, open, sidecar } from './stage.js';

onStage(async (place) => {
  const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.1' });
  const asked = { ...quick, sample_prompts: 'a cat --s 1\na dog --s 1', sample_every_n_steps: 10 };
  await sidecar.send('POST', 'sessions', { ...asked, lora_name: 'done', max_train_epochs: 2, start: true });
  await sidecar.send('POST', 'sessions', { ...asked, lora_name: 'draft', start: false });
  await sidecar.until('done', ({ status }) => status === 'completed', 60);
  await sidecar.send('POST', 'sessions', { ...asked, lora_name: 'runs', max_train_epochs: 900, start: true });
  await sidecar.until('runs', ({ progress }) => (progress.step ?? 0) > 12, 60);
  return sidecar;
});

const PAGES = [
  '',
  ...['', '/charts', '/samples', '/log', '/history'].map((part) => `sessions/done${part}`),
  ...['sessions/runs', 'sessions/draft', 'new?dataset=example', 'datasets', 'datasets/example'],
  ...['machine', 'models', 'trainers', 'secrets', 'diagnostics', 'nowhere'],
];

/** Those with the most on them. All pages in all four looks: npm run pictures. */
const FULLEST = ['', 'sessions/runs', 'sessions/done/samples', 'new?dataset=example', 'datasets/example'];

test.each([
  [390, 'light', PAGES],
  [1280, 'dark', FULLEST],
] as const)('axe-core finds nothing on any page, %i pixels wide, %s', async (width, colorScheme, pages) => {
  const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme, hasTouch: width < 500 });
  const page = await context.newPage();
  for (const path of pages) {
    await page.goto(new URL(path, sidecar.url).href);
    expect([path, await findings(page)]).toEqual([path, []]);
  }
  await context.close();
});

test.each(['', 'sessions/runs'])('nothing on the page /%s moves while data arrives', async (path) => {
  const page = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
  await page.addInitScript(`
      window.shifts = [];
      const nameOf = ({ node }) => node?.id || node?.nodeName + ' ' + node?.textContent.trim().slice(0, 60);
      const told = ({ value, sources }) => value + ' ' + sources.map(nameOf);
      // A thousandth of the screen is a rounding of a text.
      const isSeen = ({ hadRecentInput, value }) => !hadRecentInput && value >= 0.001;
      const seen = (list) => window.shifts.push(...list.getEntries().filter(isSeen).map(told));
      new PerformanceObserver(seen).observe({ type: 'layout-shift', buffered: true });
    `);
  await page.goto(new URL(path, sidecar.url).href);
  const step = async () => (await sidecar.session('runs')).progress.step ?? 0;
  const now = await step();
  await sidecar.until('runs', ({ progress }) => (progress.step ?? 0) > now + 15);
  expect(await page.evaluate('window.shifts')).toEqual([]);
  await page.context().close();
});

test('by keyboard alone a training is stopped; its place stays on the page, and the end is said', async () => {
  const page = await open('sessions/runs');
  await page.locator('#head [data-alive]').waitFor({ state: 'attached' });
  await reach(page, 'Stop…');
  await page.keyboard.press('Enter');
  expect(await findings(page)).toEqual([]);
  await reach(page, 'Stop now');
  await page.keyboard.press('Enter');
  await page.locator('#head').getByText('Stopped · by you').waitFor();
  await page.locator('#spoken', { hasText: 'runs V1: Stopped' }).waitFor({ state: 'attached' });
  expect(await page.evaluate("document.activeElement.closest('#head') !== null")).toBe(true);
  // Grey and with the time, where there is no contact.
  await page.evaluate("document.documentElement.classList.add('stale')");
  expect(await findings(page)).toEqual([]);
});

/** Tabs on until the focus is on a button of that name. */
async function reach(page: Page, name: string): Promise<void> {
  for (let tabs = 0; tabs < 60; tabs += 1) {
    if (
      String(await page.evaluate('document.activeElement.textContent'))
        .trim()
        .startsWith(name)
    )
      return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no “${name}” within 60 tabs`);
}
