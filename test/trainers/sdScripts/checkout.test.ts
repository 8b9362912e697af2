import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findCheckout, pythonFor, usualPlaces } from '../../../sidecar/trainers/sdScripts/checkout.js';
import { missingPackages, readPackages } from '../../../sidecar/trainers/sdScripts/packages.js';
import { temporaryFolder } from '../fixtures.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const COMMIT = '48d368fa55e7d1f2a3b4c5d6e7f8091a2b3c4d5e';
const at = (...names: string[]) => join(folder.path, ...names);
const write = (path: string, text = '', mode = 0o644) => {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text, { mode });
};
const make = (path: string) => {
  write(join(path, 'train_network.py'));
  write(join(path, 'library', 'train_util.py'));
};
const find = (sdScripts = '', python = 'python3') =>
  findCheckout({ sdScripts, python, root: at('trackside') }, [at('nowhere'), at('fluxgym', 'sd-scripts')]);

describe('the checkout', () => {
  test('is found in the usual places, among them beside Trackside and inside a FluxGym', () => {
    make(at('fluxgym', 'sd-scripts'));
    expect(find()).toMatchObject({ path: at('fluxgym', 'sd-scripts'), commit: null });
    expect(usualPlaces('/workspace/trackside')).toEqual(
      expect.arrayContaining([
        '/workspace/sd-scripts',
        '/workspace/fluxgym/sd-scripts',
        '/workspace/kohya_ss/sd-scripts',
      ]),
    );
  });

  test('that is set is the only one looked at, and what is wrong with it is said', () => {
    make(at('fluxgym', 'sd-scripts'));
    expect(find(at('elsewhere'))).toEqual({ missing: expect.stringMatching(/elsewhere, which does not exist\.$/) });
    mkdirSync(at('elsewhere'));
    expect(find(at('elsewhere'))).toEqual({
      missing: expect.stringMatching(/elsewhere, which holds no train_network/),
    });
  });

  test('tells its commit as git keeps it: detached, on a branch, packed, or as a submodule', () => {
    const path = at('sd-scripts');
    make(path);
    write(join(path, '.git', 'HEAD'), `${COMMIT}\n`);
    expect(find(path)).toMatchObject({ commit: COMMIT });
    write(join(path, '.git', 'HEAD'), 'ref: refs/heads/main\n');
    write(join(path, '.git', 'packed-refs'), `# pack-refs\n${COMMIT} refs/heads/main\n`);
    expect(find(path)).toMatchObject({ commit: COMMIT });
    write(join(path, '.git', 'refs', 'heads', 'main'), `${COMMIT.replace('4', '5')}\n`);
    expect(find(path)).toMatchObject({ commit: COMMIT.replace('4', '5') });
    const inside = at('gym', 'sd-scripts');
    make(inside);
    write(join(inside, '.git'), 'gitdir: ../.git/modules/sd-scripts\n');
    write(at('gym', '.git', 'modules', 'sd-scripts', 'HEAD'), `${COMMIT}\n`);
    expect(find(inside)).toMatchObject({ commit: COMMIT });
  });

  test("trains with the Python that is set, else its own virtual environment's, else FluxGym's beside it", () => {
    const path = at('fluxgym', 'sd-scripts');
    make(path);
    expect(find()).toMatchObject({ python: 'python3' });
    write(at('fluxgym', 'env', 'bin', 'python'), '', 0o755);
    expect(find()).toMatchObject({ python: at('fluxgym', 'env', 'bin', 'python') });
    // As a virtual environment has it: its Python is a link, and where the link leads must not be run instead.
    mkdirSync(join(path, 'venv', 'bin'), { recursive: true });
    symlinkSync(at('fluxgym', 'env', 'bin', 'python'), join(path, 'venv', 'bin', 'python'));
    expect(find()).toMatchObject({ python: join(path, 'venv', 'bin', 'python') });
    expect(pythonFor(join(path, 'flux_train_network.py'), 'python3')).toBe(join(path, 'venv', 'bin', 'python'));
    expect(find('', '/opt/python')).toMatchObject({ python: '/opt/python', pythonFrom: 'TRACKSIDE_PYTHON' });
  });
});

describe('its packages', () => {
  const checkout = () => ({ path: at('sd'), commit: null, python: '/venv/bin/python', pythonFrom: 'a test' });
  const REQUIREMENTS =
    'accelerate==1.6.0\ndiffusers[torch]==0.32.1\n# gradio==3\nopencv-python==4.10\nbitsandbytes\n-e .\n';
  const having = (versions: Record<string, string>) => async () => JSON.stringify({ python: '3.10.14', versions });

  test('accelerate is asked for where no requirements.txt tells of it', async () => {
    const found = await readPackages(
      { ...checkout(), path: at('bare') },
      having({ torch: '2.6.0', torchvision: '0.21.0', accelerate: '1.6.0' }),
    );
    expect(found.packages.at(-1)).toEqual({ name: 'accelerate', wanted: null, installed: '1.6.0' });
    expect(missingPackages(checkout(), found)).toEqual([]);
  });

  test('are asked for by name, and what is missing is said with the command that installs it', async () => {
    write(at('sd', 'requirements.txt'), REQUIREMENTS);
    const found = await readPackages(checkout(), having({ accelerate: '1.6.0', 'opencv-python-headless': '4.10' }));
    expect(found.packages).toEqual([
      { name: 'torch', wanted: null, installed: null },
      { name: 'torchvision', wanted: null, installed: null },
      { name: 'accelerate', wanted: '1.6.0', installed: '1.6.0' },
      { name: 'diffusers', wanted: '0.32.1', installed: null },
      { name: 'opencv-python', wanted: '4.10', installed: '4.10' },
      { name: 'bitsandbytes', wanted: null, installed: null },
    ]);
    expect(missingPackages(checkout(), found)).toEqual([
      'torch and torchvision are missing. Install them to match the GPU’s driver: /venv/bin/python -m pip install torch torchvision.',
      `diffusers is missing: cd ${at('sd')} && /venv/bin/python -m pip install -r requirements.txt.`,
      expect.stringMatching(/^bitsandbytes is missing, for the optimizers whose names end in 8bit/),
    ]);
  });

  test('of a Python that does not answer are told as such', async () => {
    const found = await readPackages(checkout(), async () => Promise.reject(new Error('no such program')));
    expect(missingPackages(checkout(), found)).toEqual([expect.stringMatching(/no such program.*TRACKSIDE_PYTHON/)]);
  });
});
