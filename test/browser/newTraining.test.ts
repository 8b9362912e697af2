import { expect, test } from 'vitest';
import { quick, until } from '../sidecar.js';
import { onStage, open, sidecar } from './stage.js';

onStage((place) => place.serve());

test('the only dataset is chosen already, and a name that exists is told to become the next version however it is spelt', async () => {
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'My Cat' });
  const page = await open('new');
  expect(await page.locator('#images figure').count()).toBe(10);
  expect(await page.locator('#expected').textContent()).toContain('steps');
  const hint = page.locator('#next-version');
  for (const name of ['My Cat', 'my cat', 'MY-CAT!']) {
    await page.getByLabel('LoRA name').fill(name);
    await page.getByText('My Cat exists: this becomes its V2. Nothing is overwritten.').waitFor();
    await page.getByLabel('LoRA name').fill('My Cats');
    await until(
      () => hint.textContent(),
      (text) => text === '',
    );
  }
});

test('a name of 60 letters that take more bytes than a folder may have is told to become the next version, too', async () => {
  const name = '猫'.repeat(55);
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: name });
  const page = await open('new');
  await page.getByLabel('LoRA name').fill(name);
  await page.getByText(`${name} exists: this becomes its V2.`).waitFor();
});

test('steps, and a warning where nothing is saved before the end, follow what is typed', async () => {
  const page = await open('new');
  await page.getByText('Advanced').click();
  const steps = page.locator('#expected');
  await page.getByLabel('Epochs', { exact: true }).fill('3');
  await page.getByText('10 pictures × 10 repeats × 3 epochs = 300 steps').waitFor();
  expect(await page.locator('#saved-late').isVisible()).toBe(false);
  await page.getByLabel('Epochs', { exact: true }).fill('1');
  await page.getByText('nothing is saved before the end').waitFor();
  await page.getByLabel('Save state folders').uncheck();
  await page.getByText('Without state folders').waitFor();
  await page.getByLabel('Epochs', { exact: true }).fill('2');
  await until(
    () => steps.textContent(),
    (text) => text?.includes('= 200 steps') ?? false,
  );
});

test('a draft is edited in the form: what was typed survives a reload, and a new training begins clean', async () => {
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'drafty' });
  const page = await open('sessions/drafty');
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await page.getByLabel('Epochs', { exact: true }).fill('7');
  await page.reload();
  expect(await page.getByLabel('Epochs', { exact: true }).inputValue()).toBe('7');
  expect(await page.locator('#next-version').textContent()).toBe('');
  await page.getByRole('button', { name: 'Save draft' }).click();
  await page.waitForURL(/sessions\/drafty$/);
  expect((await sidecar.session('drafty')).settings.max_train_epochs).toBe(7);
  await page.goto(new URL('new?fresh=1', sidecar.url).href);
  expect(await page.getByLabel('LoRA name').inputValue()).toBe('');
  expect(await page.getByLabel('Epochs', { exact: true }).inputValue()).toBe('16');
});

test('a page whose session was deleted in another tab says so', async () => {
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'gone' });
  const page = await open('sessions/gone');
  await sidecar.send('DELETE', 'sessions/gone');
  await page.getByText('this session was deleted or renamed').waitFor({ timeout: 15_000 });
});

test('by keyboard at twice the size, no field is hidden behind the bar with Start', async () => {
  const page = await open('new?dataset=example', { viewport: { width: 640, height: 400 } });
  const hidden: string[] = [];
  for (let tabs = 0; tabs < 40; tabs += 1) {
    await page.keyboard.press('Tab');
    hidden.push(await page.evaluate(COVERED));
  }
  expect(hidden.filter(Boolean)).toEqual([]);
});

/** What has the focus in the form and is not seen where its middle is. */
const COVERED = `(() => {
  const held = document.activeElement;
  if (!held.closest('.halves')) return '';
  const { left, width, top, height } = held.getBoundingClientRect();
  const seen = document.elementFromPoint(left + width / 2, top + height / 2);
  return held.contains(seen) || seen?.closest('label, .field') ? '' : held.outerHTML.slice(0, 80);
})()`;
