import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { until } from '../sidecar.js';
import { listenForTrouble } from './chromium.js';
import { onStage, open, place, sidecar } from './stage.js';

onStage((place) => place.serve());

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

const fieldsOf = async (lora: string) =>
  (await sidecar.get<{ fields?: Record<string, string> }>(`drafts/${lora}`)).fields ?? {};

test('what is typed is found after a reload, in another browser and on a phone, with what was open', async () => {
  const page = await open('new?fresh=1');
  const trouble = listenForTrouble(page);
  await page.getByLabel('LoRA name').fill('My Cat');
  await page.getByLabel('Epochs', { exact: true }).fill('7');
  await page.getByText('Advanced').click();
  await page.getByLabel('Learning rate').fill('3e-3');
  await page.getByText('All trainer flags').click();
  await page.getByLabel('--network_alpha').fill('2');
  await page.getByText('Saved', { exact: true }).waitFor();
  await until(
    () => fieldsOf('my-cat'),
    (fields) => fields['arguments.network_alpha'] === '2',
  );
  expect(page.url()).toContain('lora=my-cat');
  await page.reload();
  const shows = async (tab: Page) => {
    await tab.getByText('Restored what you typed for My Cat').waitFor();
    expect(await tab.getByLabel('Epochs', { exact: true }).inputValue()).toBe('7');
    // Seen, so that the folded parts are open as they were.
    expect(await tab.getByLabel('Learning rate').isVisible()).toBe(true);
    expect(await tab.getByLabel('Learning rate').inputValue()).toBe('3e-3');
    expect(await tab.getByLabel('--network_alpha').inputValue()).toBe('2');
  };
  await shows(page);
  await shows(await open('new', phone));
  await shows(await open('new', { javaScriptEnabled: false }));
  expect(trouble).toEqual([]);
});

test('what two people type into one draft at once is all there, and a difference is shown with both values', async () => {
  const [one, two] = [await open('new?lora=my-cat'), await open('new?lora=my-cat')];
  await one.getByLabel('Trigger word').fill('gngrcat');
  await one.getByText('Saved', { exact: true }).waitFor();
  await one.getByLabel('Learning rate').fill('1e-3');
  await until(
    () => fieldsOf('my-cat'),
    (fields) => fields.learning_rate === '1e-3',
  );
  await two.getByLabel('Learning rate').fill('5e-3');
  await two.getByText(/somebody else typed 1e-3, here it is 5e-3/).waitFor();
  expect(await two.getByLabel('Trigger word').inputValue()).toBe('gngrcat');
  await two.getByRole('button', { name: 'Use 1e-3' }).click();
  await until(
    () => fieldsOf('my-cat'),
    (fields) => fields.learning_rate === '1e-3',
  );
  await two.getByText(/somebody else typed/).waitFor({ state: 'detached' });
  expect(await two.getByLabel('Learning rate').inputValue()).toBe('1e-3');
});

test('drafts of two LoRAs in two tabs do not touch each other, and one begins another from the first', async () => {
  for (const lora of ['one', 'two']) await sidecar.send('DELETE', `drafts/${lora}`);
  const [one, two] = [await open('new?fresh=1'), await open('new?fresh=1')];
  await one.getByLabel('Epochs', { exact: true }).fill('3');
  await two.getByLabel('Epochs', { exact: true }).fill('5');
  await one.getByLabel('LoRA name').fill('One');
  await two.getByLabel('LoRA name').fill('Two');
  await until(
    () => fieldsOf('one'),
    (fields) => fields.max_train_epochs === '3',
  );
  await until(
    () => fieldsOf('two'),
    (fields) => fields.max_train_epochs === '5',
  );
  await one.waitForURL(/lora=one/);
  await one.reload();
  expect(await one.getByLabel('LoRA name').inputValue()).toBe('One');
  await one.getByText('Other drafts').click();
  await one.getByRole('link', { name: 'Two' }).click();
  expect(await one.getByLabel('Epochs', { exact: true }).inputValue()).toBe('5');
});

test('Reset clears the form, and Undo brings back what was typed', async () => {
  const page = await open('new?lora=one');
  await page.getByRole('button', { name: 'Reset' }).click();
  await page.getByText('Cleared.').waitFor();
  expect(await page.getByLabel('Epochs', { exact: true }).inputValue()).toBe('16');
  expect(existsSync(join(place.outputs, '.drafts', 'one.json'))).toBe(false);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Restored what you typed for One').waitFor();
  expect(await page.getByLabel('Epochs', { exact: true }).inputValue()).toBe('3');
});

test('what is typed without a line is said to be unsaved, stays when it is sent, and is saved once there is one', async () => {
  const page = await open('new?fresh=1');
  await page.context().setOffline(true);
  await page.getByLabel('LoRA name').fill('Offline');
  await page.getByText('Not saved: no connection').waitFor();
  // The page stays, with all that is typed.
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.getByText('Not sent: no contact with Trackside.').waitFor();
  expect(await page.getByLabel('LoRA name').inputValue()).toBe('Offline');
  await page.context().setOffline(false);
  await page.getByText('Saved', { exact: true }).waitFor();
  expect(readFileSync(join(place.outputs, '.drafts', 'offline.json'), 'utf8')).toContain('Offline');
});

test('the dataset that was chosen stays chosen', async () => {
  await sidecar.send('POST', 'datasets', { name: 'cats' });
  const page = await open('new?fresh=1');
  await page.getByRole('radio', { name: /cats/ }).check();
  await page.getByLabel('LoRA name').fill('Chosen');
  await until(
    () => fieldsOf('chosen'),
    (fields) => fields.dataset === 'cats',
  );
  await page.getByText('Saved', { exact: true }).waitFor();
  await page.reload();
  expect(await page.getByRole('radio', { name: /cats/ }).isChecked()).toBe(true);
});

test('a newcomer with a phone gets from the page to Start within two screens, also without JavaScript', async () => {
  for (const javaScriptEnabled of [true, false]) {
    const page = await open('new?dataset=example', { ...phone, javaScriptEnabled });
    const { height, width } = (await page.evaluate(
      '({ height: document.querySelector(".halves").getBoundingClientRect().height, width: document.documentElement.scrollWidth })',
    )) as { height: number; width: number };
    expect(width).toBe(390);
    expect(height).toBeLessThan(2 * 844);
    const lora = `phone-${javaScriptEnabled}-${Date.now()}`;
    await page.getByLabel('LoRA name').fill(lora);
    await page.getByLabel('Epochs', { exact: true }).fill('2');
    if (!javaScriptEnabled) await page.getByRole('button', { name: 'Keep for later' }).click();
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.waitForURL(/sessions\/phone/);
    expect(await fieldsOf(lora)).toEqual({});
  }
});
