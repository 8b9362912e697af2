import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { longTraining } from '../bench/longTraining.js';
import { quick } from '../sidecar.js';
import { listenForTrouble } from './chromium.js';
import { onStage, open, sidecar, wide } from './stage.js';

/** The machine may be busy with something else. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 });

onStage((place) => {
  longTraining(place.outputs, 'long', 3000);
  return place.serve({ PRACTICE_STEP_SECONDS: '0.5' });
});

const first = (page: Page) => page.locator('.curve').first();

test.each([1280, 390])(
  'at %i px a chart is asked by pointer and keys, zooms into all of its points, and moves nothing',
  async (width) => {
    const page = await open('sessions/long/charts', { ...wide(width), hasTouch: width < 500 });
    const trouble = listenForTrouble(page);
    await first(page).locator('canvas').waitFor();
    const shifted = await page.evaluate(`new Promise((done) => new PerformanceObserver((list) =>
    done(list.getEntries().reduce((sum, { value }) => sum + value, 0))).observe({ type: 'layout-shift', buffered: true })
    || setTimeout(() => done(0), 500))`);
    expect(shifted).toBeLessThan(0.001);
    const plot = first(page).locator('.plot');
    await plot.hover();
    await soon(() => first(page).locator('.readout').textContent()).toMatch(/reported .* · smoothed/);
    await plot.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('+');
    await soon(() => page.url()).toMatch(/from=\d+.*to=\d+/);
    const [from, to] = ['from', 'to'].map((name) => Number(new URL(page.url()).searchParams.get(name)));
    expect(Number(to) - Number(from)).toBeLessThan(1600);
    await page.keyboard.press('Escape');
    await soon(() => page.url()).not.toContain('from=');
    const box = await plot.locator('.u-over').boundingBox();
    if (!box) throw new Error('not drawn');
    await page.mouse.move(box.x + box.width * 0.25, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await soon(() => Number(new URL(page.url()).searchParams.get('from'))).toBeGreaterThan(600);
    await page.getByRole('link', { name: 'Show all' }).click();
    await soon(() => page.url()).not.toContain('from=');
    await plot.focus();
    await page.keyboard.press('-');
    await soon(() => page.evaluate('document.activeElement.className')).toContain('plot');
    expect(page.url()).not.toContain('from=');
    if (width < 500) {
      await pinch(page, box, [0.45, 0.55], [0.2, 0.8]);
      await soon(() => Number(new URL(page.url()).searchParams.get('to'))).toBeLessThan(2100);
      expect(Number(new URL(page.url()).searchParams.get('from'))).toBeGreaterThan(1000);
      expect(await page.locator('#csv').getAttribute('href')).toMatch(/axis=step&from=1\d{3}.*&to=1\d{3}/);
      await page.getByRole('link', { name: 'Show all' }).click();
    }
    await page.getByLabel('Log scale').check();
    await page.getByLabel('Clip').check();
    await first(page).locator('.notes', { hasText: 'clipped to the middle 90 %' }).waitFor();
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save loss/current as a picture' }).click();
    expect((await saved).suggestedFilename()).toBe('loss-current.png');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    expect(trouble).toEqual([]);
  },
);

/** Two fingers at these parts of a box's width move to those. */
async function pinch(page: Page, box: { x: number; y: number; width: number }, from: number[], to: number[]) {
  const fingers = await page.context().newCDPSession(page);
  const at = (parts: number[]) => parts.map((part, id) => ({ id, x: box.x + box.width * part, y: box.y + 50 }));
  const between = from.map((part, id) => (part + (to[id] ?? part)) / 2);
  await fingers.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: at(from) });
  for (const parts of [between, to]) {
    await fingers.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: at(parts) });
  }
  await fingers.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
}

test('new values reach an open chart without a request', async () => {
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'live', max_train_epochs: 1000, start: true });
  await sidecar.until('live', ({ progress }) => (progress.step ?? 0) > 2, 60);
  await soon(async () => (await sidecar.get<unknown[]>('sessions/live/metrics')).length).toBeGreaterThan(0);
  const page = await open('sessions/live/charts', wide(1280));
  await first(page).locator('canvas').waitFor();
  await page.waitForLoadState('load');
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  const end = async () => {
    await first(page).locator('.plot').focus();
    for (let i = 0; i < 62; i += 1) await page.keyboard.press('ArrowRight');
    return Number.parseInt((await first(page).locator('.readout').textContent()) ?? '0', 10);
  };
  const before = await end();
  await soon(end).toBeGreaterThan(before + 1);
  expect(asked).toEqual([]);
  await sidecar.send('DELETE', 'sessions/live/attempts/current');
});
