import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { addCheckpoint } from '../bench/longTraining.js';
import { quick } from '../sidecar.js';
import { listenForTrouble } from './chromium.js';
import { onStage, open, place, sidecar } from './stage.js';

onStage((place) => place.serve({ PRACTICE_STEP_SECONDS: '0.05' }));

test('after many updates a page shows what it shows when it is loaded again', async () => {
  const start = { ...quick, sample_prompts: 'a cat --s 1', sample_every_n_steps: 20, start: true };
  await sidecar.send('POST', 'sessions', { ...start, lora_name: 'my cat.2', max_train_epochs: 5 });
  const { name } = (await sidecar.get<{ name: string }[]>('sessions'))[0] ?? { name: '' };
  const [session, home] = [await open(`sessions/${name}`), await open('')];
  const trouble = [...listenForTrouble(session), ...listenForTrouble(home)];
  const rows = session.locator('#checkpoint-rows > li');
  await rows.nth(1).waitFor();
  // Five are shown at once. What somebody opened stays open while rows come before it.
  await rows.last().locator('summary').click();
  const folder = join(place.outputs, name);
  for (const number of [101, 102, 103]) addCheckpoint(folder, name, number);
  await session.locator('#checkpoint-rows', { hasText: '000103' }).waitFor();
  rmSync(join(folder, `${name}-000102.safetensors`));
  await sidecar.until(name, ({ status }) => status === 'completed', 60);
  await session.locator('#checkpoint-rows > li', { hasText: 'final' }).waitFor();
  await expect.poll(() => session.locator('#checkpoint-rows', { hasText: '000102' }).count()).toBe(0);
  // The card is written after the end is told.
  await session.locator('#publish', { hasText: 'README.md is the model card' }).waitFor({ state: 'attached' });
  expect(await rows.last().locator('details').getAttribute('open')).not.toBeNull();
  for (const page of [session, home]) await sameAfterReload(page);
  expect(trouble).toEqual([]);
});

/** Asked until it is so: the last update may be under way. */
async function sameAfterReload(page: Page): Promise<void> {
  const fresh = await page.context().newPage();
  const different = async () => {
    await fresh.goto(page.url());
    const [live, loaded] = [await shown(page), await shown(fresh)];
    return live.flatMap((line, at) => (line === loaded[at] ? [] : [line, loaded[at]])).slice(0, 6);
  };
  await expect.poll(different, { timeout: 15_000, interval: 1000 }).toEqual([]);
  await fresh.close();
}

/** What lives on a page, line by line, without what a person opened, what passing time changes, and what htmx notes down. */
function shown(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const regions = 'banner sessions others head facts loss log samples checkpoints publish resume attempts'.split(' ');
    return regions.flatMap((id) => document.getElementById(id)?.cloneNode(true) ?? []).flatMap((region) => {
      for (const time of region.querySelectorAll('time[data-as=ago]')) time.textContent = '';
      for (const details of region.querySelectorAll('details')) details.open = false;
      for (const each of [region, ...region.querySelectorAll('*')]) {
        each.classList.remove('htmx-added', 'htmx-swapping', 'htmx-settling');
        const attributes = [...each.attributes].map(({ name, value }) => [name, value]).sort();
        for (const [name] of attributes) each.removeAttribute(name);
        for (const [name, value] of attributes) {
          if (!(name === 'class' && value === '') && !['data-htmx-powered', 'data-position'].includes(name)) each.setAttribute(name, value);
        }
      }
      return region.outerHTML.replace(/>\\s*</g, '>\\n<').split(/\\s*\\n\\s*/);
    });
  })()`);
}
