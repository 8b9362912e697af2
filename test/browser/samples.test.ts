import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { quick } from '../sidecar.js';
import { listenForTrouble } from './chromium.js';
import { onStage, open, place, sidecar, wide } from './stage.js';

/** The machine may be busy with something else. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 });

onStage(async (place) => {
  const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0' });
  const start = {
    ...quick,
    sample_prompts: 'a cat --d 1 --s 1\na dog --d 2 --s 1',
    sample_every_n_steps: 10,
    start: true,
  };
  await sidecar.send('POST', 'sessions', { ...start, lora_name: 'cat' });
  await sidecar.until('cat', ({ status }) => status === 'completed', 60);
  return sidecar;
});

test.each([1280, 390])(
  'at %i px samples are looked at by step and by prompt, compared, and the best is marked',
  async (width) => {
    const page = await open('sessions/cat/samples', wide(width));
    const trouble = listenForTrouble(page);
    const viewer = page.locator('#viewer');
    await page.locator('.gallery td a').first().click();
    await viewer.locator('.caption', { hasText: 'step 40' }).waitFor();
    await page.keyboard.press('ArrowLeft');
    await viewer.locator('.caption', { hasText: 'step 30' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await viewer.locator('.caption', { hasText: 'a dog' }).waitFor();
    await viewer.locator('.caption', { hasText: 'seed 2' }).waitFor();
    await viewer.getByLabel('Compare with').focus();
    await soon(() => viewer.locator('.against option').count()).toBeGreaterThan(8);
    await viewer.getByLabel('Compare with').selectOption({ index: 1 });
    await expect
      .poll(() => viewer.locator('.other-picture').evaluate((image) => 'naturalWidth' in image && image.naturalWidth))
      .toBeGreaterThan(0);
    await viewer.getByLabel('Divider').fill('20');
    expect(
      await viewer
        .locator('.other-picture')
        .evaluate((image) => image.ownerDocument.defaultView?.getComputedStyle(image).clipPath),
    ).toContain('20%');
    await viewer.getByRole('button', { name: 'Mark as best' }).click();
    await viewer.getByRole('button', { name: '★ Best' }).waitFor();
    await page.keyboard.press('Escape');
    await soon(() => page.locator('.gallery a[data-best]').count()).toBe(1);
    expect((await sidecar.session('cat')).best_sample).toMatch(/000030_01/);
    await page.getByLabel('Step', { exact: true }).fill('0');
    await soon(() => page.locator('#over img').first().getAttribute('alt')).toMatch(/^step 10: a cat/);
    const small = await page.locator('#over img').first().boundingBox();
    expect(small?.height).toBeCloseTo(small?.width ?? 0, 0);
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save as one picture' }).click();
    expect((await saved).suggestedFilename()).toBe('cat-samples.png');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    await sidecar.send('PATCH', 'sessions/cat', { best_sample: '' });
    expect(trouble).toEqual([]);
  },
);

test('a new sample comes into the open page, which stays at the newest step', async () => {
  const page = await open('sessions/cat/samples', wide(1280));
  const trouble = listenForTrouble(page);
  await page.locator('#over output', { hasText: 'step 40' }).waitFor();
  const folder = join(place.outputs, 'cat', 'sample');
  const newest = readdirSync(folder).find((name) => name.includes('000040_00')) ?? '';
  const later = newest.replace(/000040_00_\d{14}/, '000050_00_20990101000000');
  copyFileSync(join(folder, newest), join(folder, later));
  await page.locator('#over output', { hasText: 'step 50' }).waitFor();
  await page.getByRole('button', { name: 'Show 1 new step' }).click();
  await page.locator(`.gallery tbody tr:first-child [data-name="${later}"]`).waitFor();
  await page.getByText('Download all (9)').waitFor();
  await soon(() => page.locator('.gallery tbody tr').count()).toBe(5);
  rmSync(join(folder, later));
  expect(trouble).toEqual([]);
});
