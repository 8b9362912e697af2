import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { projectRoot } from '../sidecar.js';
import { onStage, open, sidecar } from './stage.js';

onStage(async (place) => {
  const bin = join(place.folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'nvidia-smi'), '#!/bin/sh\necho "0, NVIDIA L4, 550.1, 23034, 22500"\n', { mode: 0o755 });
  const sidecar = await place.serve({
    TRACKSIDE_SD_SCRIPTS: join(projectRoot, 'test', 'sd-scripts', 'standIn', 'checkout'),
    PATH: `${bin}:${process.env.PATH}`,
    PYTHONDONTWRITEBYTECODE: '1',
  });
  // Waits until its parser was asked.
  await sidecar.get('trainers/sd-scripts/flux');
  await sidecar.get('trainers/sd-scripts/sdxl');
  return sidecar;
});

const field = (page: Page, name: string) => page.getByLabel(name, { exact: true });

test('the form follows trainer and preset; what was typed stays through each change and a new visit, what stood there does not', async () => {
  const page = await open('new?fresh=1');
  await field(page, 'LoRA name').fill('my cat');
  await field(page, 'Epochs').fill('7');
  await field(page, 'Trainer').selectOption('sd-scripts/flux');
  await page.getByText('NVIDIA L4 has 22 GB').waitFor();
  expect(await field(page, 'LoRA name').inputValue()).toBe('my cat');
  expect(await field(page, 'Epochs').inputValue()).toBe('7');
  expect(await field(page, 'Learning rate').inputValue()).toBe('8e-4');
  expect(await field(page, 'GPU memory').inputValue()).toBe('24G');

  await field(page, 'GPU memory').selectOption('12G');
  await page.getByText('single blocks only').waitFor();
  await page.getByText('All trainer flags').click();
  expect(await field(page, '--blocks_to_swap').getAttribute('placeholder')).toBe('18 (preset)');
  await field(page, '--blocks_to_swap').fill('20');

  // A new visit goes on where it was.
  await page.goto(new URL('new', sidecar.url).href);
  await page.getByText('single blocks only').waitFor();
  expect(await field(page, '--blocks_to_swap').inputValue()).toBe('20');
  expect(await field(page, 'Epochs').inputValue()).toBe('7');

  await field(page, 'Trainer').selectOption('sd-scripts/sdxl');
  await page.getByText('SDXL 1.0 and models made from it').waitFor();
  expect(await field(page, 'Learning rate').inputValue()).toBe('1e-4');
  expect(await field(page, 'GPU memory').inputValue()).toBe('24G');
  expect(await field(page, 'LoRA name').inputValue()).toBe('my cat');
});

test('a flag is found among all by a word of its help or its name', async () => {
  const page = await open('new?trainer=sd-scripts/sdxl');
  await page.getByText('All trainer flags').click();
  expect(await field(page, '--huber_c').isVisible()).toBe(false);
  await page.getByLabel('Find a flag').fill('huber c');
  expect(await field(page, '--huber_c').isVisible()).toBe(true);
  expect(await field(page, '--network_alpha').isVisible()).toBe(false);
});
