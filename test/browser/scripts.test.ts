import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { projectRoot, until } from '../sidecar.js';
import { listenForTrouble } from './chromium.js';
import { browser, onStage, open, place, sidecar } from './stage.js';

onStage(async (place) => {
  const folder = join(place.folder, 'trainers');
  mkdirSync(folder);
  copyFileSync(join(projectRoot, 'test', 'trainers', 'script', 'my_train.py'), join(folder, 'my_train.py'));
  const sidecar = await place.serve({ TRACKSIDE_TRAINERS: folder, PYTHONDONTWRITEBYTECODE: '1' });
  await sidecar.get('trainers/script/my_train');
  return sidecar;
});

/** Fills in the form of my_train.py: one of three lengths, one of two commands. */
async function fillIn(page: Page, name: string): Promise<void> {
  await page.getByLabel('LoRA name').fill(name);
  await page.getByLabel('--epochs', { exact: true }).check();
  await page.getByLabel('Value of --epochs').fill('3');
  await page.getByLabel('--ema').selectOption('off');
  await page.getByLabel('train', { exact: true }).check();
  await page.getByLabel('--lr').fill('1e-3');
  await page.getByLabel('--tags').fill('a b\n--c');
}

const givenTo = (name: string) =>
  JSON.parse(/^given (.*)$/m.exec(readFileSync(join(place.outputs, name, 'training.log'), 'utf8'))?.[1] ?? 'null');

test('a command and one of several are chosen, open their own fields, and the script has exactly what was typed', async () => {
  const page = await (await browser.newContext()).newPage();
  const trouble = listenForTrouble(page);
  await page.goto(new URL('new', sidecar.url).href);
  await page.getByLabel('Trainer').selectOption('script/my_train');
  const lr = page.getByLabel('--lr');
  await page.getByLabel('train', { exact: true }).waitFor();
  expect(await lr.isVisible()).toBe(false);
  await page.getByLabel('evaluate', { exact: true }).check();
  expect(await page.getByLabel('weights').isVisible()).toBe(true);
  await fillIn(page, 'chosen');
  expect(await page.getByLabel('weights').isVisible()).toBe(false);
  expect(await page.getByLabel('Value of --steps').isVisible()).toBe(false);

  // What no command line can say is told at its field; what was typed stays, a reload included.
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.getByText('--c would be read as a separate flag').first().waitFor();
  expect(await page.getByLabel('Value of --epochs').inputValue()).toBe('3');
  await page.getByLabel('--tags').fill('a b\nc');
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.waitForURL(/sessions\/chosen/);
  await sidecar.until('chosen', ({ status }) => status === 'completed');
  expect(givenTo('chosen')).toMatchObject({
    steps: null,
    epochs: 3,
    forever: false,
    ema: false,
    command: 'train',
    lr: 0.001,
    tags: ['a b', 'c'],
  });
  await page.getByText('given {').first().waitFor();
  // Chromium calls the refusal above an error, too.
  expect(trouble.filter((each) => !each.includes('422'))).toEqual([]);
});

test('the same form does its work without JavaScript, and a draft of it is changed', async () => {
  const page = await open('new?trainer=script/my_train', { javaScriptEnabled: false });
  await fillIn(page, 'plain');
  await page.getByLabel('--tags').fill('');
  await page.getByRole('button', { name: 'Keep for later' }).click();
  await page.waitForURL(/new\?lora=plain/);
  expect(await page.getByLabel('Value of --epochs').inputValue()).toBe('3');
  expect(await page.getByLabel('train', { exact: true }).isChecked()).toBe(true);
  await page.getByLabel('--forever').check();
  await page.getByRole('button', { name: 'Start training' }).click();
  await sidecar.until('plain', ({ status }) => status === 'running');
  const given = await until(() => givenTo('plain'), Boolean);
  expect(given).toMatchObject({ epochs: null, forever: true, ema: false, lr: 0.001, tags: null });
  await sidecar.send('DELETE', 'sessions/plain/attempts/current');
  await sidecar.until('plain', ({ status }) => status === 'stopped');
});
