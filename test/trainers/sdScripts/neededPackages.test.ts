import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkPackages, findPackages, type Packages } from '../../../sidecar/trainers/sdScripts/neededPackages.js';

const codes = (found: { code: string }[]) => found.map(({ code }) => code);
const asked = { python: '/venv/bin/python', family: 'sd-scripts/sd1', cwd: '/sd-scripts' };
const all: Packages = {
  ...{ torch: '2.6.0', accelerate: '1.6.0', transformers: '4.54.1', diffusers: '0.32.1', safetensors: '0.4.5' },
  ...{ torchvision: '0.21.0', 'opencv-python': 'unknown', einops: '0.7.0', imagesize: '1.4.1' },
  ...{ 'huggingface-hub': '0.34.3', numpy: '2.2.6', pillow: '11.3.0' },
  ...{ toml: '0.10.2', voluptuous: '0.15.2', tensorboard: '2.19.0', bitsandbytes: null, xformers: null },
};
test('what was installed since the last start is found by the next one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trackside-packages-'));
  const python = join(folder, 'python');
  writeFileSync(python, `#!/bin/sh\ncat ${folder}/answer.json\n`, { mode: 0o755 });
  const installed = (versions: Packages) =>
    writeFileSync(join(folder, 'answer.json'), JSON.stringify({ python: '3.11.0', versions }));
  const start = (flags = {}) => findPackages({ ...asked, python, flags });
  installed(all);
  expect(codes(await start())).toEqual([]);
  expect(codes(await start({ optimizer_type: 'Lion' }))).toEqual(['missing_package']);
  installed({ ...all, 'lion-pytorch': '0.2.3' });
  expect(codes(await start({ optimizer_type: 'Lion' }))).toEqual([]);
  rmSync(folder, { recursive: true });
});

test('the advised version of lycoris is one that works on every family', () => {
  const found = checkPackages(all, { ...asked, flags: { network_module: 'lycoris.kohya' } });
  expect(found[0]?.message).toContain('/venv/bin/python -m pip install lycoris-lora==3.2.0.post2');
});
test.each([
  ['all of it', all, {}, []],
  ['no OpenCV, by whatever name', { ...all, 'opencv-python': null }, {}, ['missing_packages']],
  ['no torch', { ...all, torch: null }, {}, ['missing_packages']],
  ['no bitsandbytes for an 8-bit optimizer', all, { optimizer_type: 'AdamW8bit' }, ['missing_package']],
  ['no schedulefree', all, { optimizer_type: 'AdamWScheduleFree' }, ['missing_package']],
  [
    'neither of the two that one optimizer needs',
    all,
    { optimizer_type: 'prodigyplus.ProdigyPlusScheduleFree' },
    ['missing_package', 'missing_package'],
  ],
  ['no dadaptation', all, { optimizer_type: 'DAdaptLion' }, ['missing_package']],
  ['no xformers', all, { xformers: true }, ['missing_package']],
  ['no lycoris', all, { network_module: 'lycoris.kohya' }, ['missing_package']],
  ['an accelerate that cannot resume', { ...all, accelerate: '0.33.0' }, {}, ['old_accelerate']],
  ['no tensorboard', { ...all, tensorboard: null }, {}, ['no_tensorboard']],
  ['no wandb to log with', all, { log_with: 'all' }, ['missing_package']],
  ['a lycoris that works', { ...all, 'lycoris-lora': '3.2.0.post2' }, { network_module: 'lycoris.kohya' }, []],
  [
    'a lycoris that dies on SD 1.x',
    { ...all, 'lycoris-lora': '4.1.3' },
    { network_module: 'lycoris.kohya', network_args: ['algo=loha'] },
    ['missing_package'],
  ],
  [
    'the same with the layers that it names once',
    { ...all, 'lycoris-lora': '4.1.3' },
    { network_module: 'lycoris.kohya', network_args: ['preset=attn-mlp'] },
    [],
  ],
  ['no Python', null, {}, ['no_python']],
])('%s', (_, packages, flags, expected) => {
  expect(codes(checkPackages(packages, { ...asked, flags }))).toEqual(expected);
});
