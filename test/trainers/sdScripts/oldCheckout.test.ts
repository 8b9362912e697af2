import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Argument } from '../../../sidecar/trainers/arguments.js';
import { findTrainer, trainers } from '../../../sidecar/trainers/catalogue.js';

const root = mkdtempSync(join(tmpdir(), 'trackside-old-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A checkout with these scripts; `parser` is what train_network.py has of its parser, `networks` its modules. */
function checkout(name: string, scripts: string[], parser: string, networks: string[] = []) {
  const path = join(root, name);
  for (const folder of ['library', 'networks']) mkdirSync(join(path, folder), { recursive: true });
  for (const script of scripts) writeFileSync(join(path, script), '');
  for (const module of networks) writeFileSync(join(path, 'networks', `${module}.py`), '');
  writeFileSync(join(path, 'library', 'train_util.py'), '');
  writeFileSync(join(path, 'train_network.py'), `def setup_parser():\n${parser}`);
  return {
    sdScripts: path,
    models: join(root, 'models'),
    python: 'python3',
    private: root,
    trainers: join(root, 'trainers'),
    root,
  };
}

test('families whose script a checkout lacks are not listed, and asked for by name it is said what is too old', () => {
  const places = checkout('2024', ['sdxl_train_network.py'], '');
  const listed = trainers(places).map(({ id }) => id);
  expect(listed).toEqual(['practice', 'sd-scripts/sdxl', 'sd-scripts/sd1', 'sd-scripts/sd2']);
  expect(() => findTrainer(places, 'sd-scripts/flux')).toThrow(/flux_train_network\.py.*older.*git -C .* pull/);
});

test('a checkout that cannot begin at an epoch says so, a newer one does not', async () => {
  const old = findTrainer(checkout('old', [], '    parser.add_argument("--resume")'), 'sd-scripts/sd1');
  expect(await old.tooOld?.()).toMatch(/too old to resume/);
  const now = findTrainer(
    checkout('new', [], '    parser.add_argument("--initial_epoch", type=int)'),
    'sd-scripts/sd1',
  );
  expect(await now.tooOld?.()).toBeNull();
});

test('networks that a checkout has are offered: LoHa and LoKr since it has them', () => {
  const asked: Argument[] = [
    { name: 'network_module', flags: [], type: 'text', default: null, choices: null, help: null, group: null },
  ];
  const offered = (name: string, networks: string[]) => {
    const places = checkout(name, ['sdxl_train_network.py'], '', networks);
    return findTrainer(places, 'sd-scripts/sdxl').furtherArguments(asked)[0]?.choices;
  };
  expect(offered('without', ['lora', 'lora_fa'])).toEqual(['networks.lora', 'networks.lora_fa', 'lycoris.kohya']);
  expect(offered('with', ['lora', 'loha', 'lokr'])).toEqual([
    ...['networks.lora', 'lycoris.kohya', 'networks.loha', 'networks.lokr'],
  ]);
});
