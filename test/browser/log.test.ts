import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { quick } from '../sidecar.js';
import { listenForTrouble } from './chromium.js';
import { browser, onStage, open, place, sidecar, wide } from './stage.js';

/** The machine may be busy with something else. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 });

onStage((place) => {
  const folder = join(place.outputs, 'long');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify({ lora_name: 'long', status: 'stopped' }));
  const line = (n: number) => (n % 2000 === 0 ? `ERROR    no ${n}` : `line ${n} of many`);
  writeFileSync(join(folder, 'training.log'), Array.from({ length: 9000 }, (_, i) => `${line(i + 1)}\n`).join(''));
  return place.serve({ PRACTICE_STEP_SECONDS: '5' });
});

/** Numbers of the lines that are seen. */
function seen(page: Page): Promise<number[]> {
  return page.evaluate(`(() => {
    const box = document.getElementById('rows').getBoundingClientRect();
    return [...document.querySelectorAll('#rows > div')]
      .filter((row) => { const { top, bottom } = row.getBoundingClientRect(); return top >= box.top - 1 && bottom <= box.bottom + 1; })
      .map((row) => Number(row.id.slice(1)));
  })()`);
}

test.each([1280, 390])('at %i px a log opens at its end, and is read up to its first line', async (width) => {
  const page = await open('sessions/long/log', wide(width));
  const trouble = listenForTrouble(page);
  await soon(() => seen(page)).toContain(9000);
  await page.evaluate(`document.getElementById('rows').scrollTop = 0`);
  // What was read stays where it is while older lines come above it.
  await soon(() => page.locator('#L8001').count()).toBe(1);
  expect(await seen(page)).toContain(8501);
  for (let rounds = 0; rounds < 30 && (await page.locator('#L1').count()) === 0; rounds += 1) {
    const first = await page.locator('#rows > div').first().getAttribute('id');
    await page.evaluate(`document.getElementById('rows').scrollTop = 0`);
    await soon(() => page.locator('#rows > div').first().getAttribute('id')).not.toBe(first);
  }
  await page.evaluate(`document.getElementById('rows').scrollTop = 0`);
  expect(await seen(page)).toContain(1);
  await page.getByRole('button', { name: 'To the end' }).click();
  await soon(() => seen(page)).toContain(9000);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
  expect(trouble).toEqual([]);
});

test('errors are stepped through by keys, words by the whole log’s count, and lines are named by the address', async () => {
  const page = await open('sessions/long/log', wide(1280));
  await soon(() => seen(page)).toContain(9000);
  await page.locator('.errors', { hasText: '4 errors' }).waitFor();
  await page.keyboard.press('p');
  await soon(() => seen(page)).toContain(8000);
  await page.keyboard.press('p');
  await soon(() => seen(page)).toContain(6000);
  await page.keyboard.press('n');
  await soon(() => seen(page)).toContain(8000);
  await page.getByRole('searchbox').fill('LINE 12');
  await page.keyboard.press('Enter');
  await page.locator('#found', { hasText: '1 of 111' }).waitFor();
  await soon(() => seen(page)).toContain(12);
  await page.keyboard.press('Enter');
  await page.locator('#found', { hasText: '2 of 111' }).waitFor();
  await soon(() => seen(page)).toContain(120);
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.press('Shift+Enter');
  await page.locator('#found', { hasText: '111 of 111' }).waitFor();
  expect(await page.locator('#L1299 mark').textContent()).toBe('line 12');
  await page.locator('#L1290 > a').click();
  await page.locator('#L1292 > a').click({ modifiers: ['Shift'] });
  await page.getByText('Lines 1290 to 1292').waitFor();
  await expect
    .poll(() => page.getByRole('button', { name: 'Copy', exact: true }).getAttribute('data-copy'))
    .toBe('line 1290 of many\nline 1291 of many\nline 1292 of many');
  const other = await open(
    new URL(page.url()).pathname.slice(1) + new URL(page.url()).search + new URL(page.url()).hash,
  );
  await soon(() => other.locator('#rows > .picked').count()).toBe(3);
  await soon(() => seen(other)).toContain(1291);
});

test('what arrives is followed at the end, counted elsewhere, and bars stay one line', async () => {
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'live', max_train_epochs: 1000, start: true });
  await sidecar.until('live', ({ status, progress }) => status === 'running' && (progress.step ?? 0) > 0, 60);
  const log = join(place.outputs, 'live', 'training.log');
  appendFileSync(log, Array.from({ length: 100 }, (_, i) => `\nearlier ${i}`).join(''));
  const page = await open('sessions/live/log', wide(1280));
  const trouble = listenForTrouble(page);
  await page.locator('#rows > div', { hasText: 'earlier 99' }).waitFor();
  appendFileSync(log, '\nnow\n');
  const row = (on: Page, text: string) => on.locator(`#rows > div:has(code:text-is("${text}"))`);
  await row(page, 'now').waitFor();
  // Each line tells when it arrived, on a page that is opened later too.
  const at = await row(page, 'now').locator('time').getAttribute('data-at');
  expect(Math.abs(Date.parse(at ?? '') - Date.now())).toBeLessThan(20_000);
  const later = await open('sessions/live/log', wide(390));
  await later.getByRole('button', { name: 'Times' }).click();
  await row(later, 'now').locator('time:visible').waitFor();
  const bar = (step: number) => `steps:  1%|█ | ${step}/99 [00:01<00:09, 2.00it/s]\n`;
  for (let step = 1; step <= 4; step += 1) appendFileSync(log, bar(step));
  await page.locator('#rows > div:visible', { hasText: '4/99' }).waitFor();
  await soon(() => page.locator('#rows > .is-bar:visible', { hasText: '/99 [' }).count()).toBe(1);
  await page.evaluate(`document.getElementById('rows').scrollTop = 0`);
  await page.getByRole('button', { name: 'To the end' }).waitFor();
  appendFileSync(log, 'a\nb\nc\n');
  await page.getByRole('button', { name: /^3 new lines/ }).waitFor();
  await page.getByRole('button', { name: /^3 new lines/ }).click();
  await row(page, 'c').waitFor();
  await soon(() => page.getByRole('button', { name: /new lines|To the end/ }).isVisible()).toBe(false);
  await page.getByRole('button', { name: 'Full screen' }).click();
  await page.keyboard.press('Escape');
  await soon(() => page.getByRole('button', { name: 'Full screen' }).count()).toBe(1);
  await sidecar.send('DELETE', 'sessions/live/attempts/current');
  await page.locator('#status', { hasText: 'Stopped' }).waitFor();
  expect(trouble).toEqual([]);
});

test('a large log that is still counted when its page is drawn tells all of its errors', async () => {
  const page = await (await browser.newContext(wide(390))).newPage();
  // As it is drawn while a log of gigabytes is read for the first time (routes/log.ts).
  await page.route('**/sessions/long/log', async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text())
      .replace(/data-total="\d+"\s+data-errors="\d+"/, 'data-total="0" data-errors="0"')
      .replace(/log=\d+:\d+/, 'log=0:0');
    await route.fulfill({ response: answer, body });
  });
  await page.goto(new URL('sessions/long/log', sidecar.url).href);
  expect(await page.locator('#rows').getAttribute('data-total')).toBe('0');
  await page.locator('.errors', { hasText: '4 errors' }).waitFor();
});
