import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkCommandLine } from '../../../sidecar/trainers/checkCommandLine.js';
import { families, findFamily } from '../../../sidecar/trainers/sdScripts/families.js';
import type { Family } from '../../../sidecar/trainers/sdScripts/family.js';
import { askFlags, askParser } from './askParser.js';
import { inputOf, trainerOf } from './commands.js';
import { everyFlag, roots } from './everyFlag.js';

/** Its parsers have the flags of commit 48d368f; realParser.test.ts holds them to the real ones. */
const standIn = fileURLToPath(new URL('../../sd-scripts/standIn/checkout', import.meta.url));
const sd1 = findFamily('sd-scripts/sd1') as Family;

test.each([...new Set(families.map(({ script }) => script))])(
  '%s: each flag, with its default, each of its choices and a value of its type, passes our checks and its parser',
  async (script) => {
    const path = join(standIn, script);
    const known = await askFlags('python3', path);
    for (const family of families.filter((each) => each.script === script)) {
      const { passed, refused } = await everyFlag(family, known);
      expect(refused).toEqual([]);
      expect(passed.length).toBeGreaterThan(150);
      const asked = await askParser(
        'python3',
        path,
        passed.map(({ tokens }) => tokens),
      );
      expect(asked).toEqual([]);
    }
  },
);

test('a name that is itself a flag is that flag; one that is none, and begins one of ours or of code, is refused', async () => {
  const trainer = trainerOf(sd1);
  const known = await askFlags('python3', join(standIn, sd1.script));
  const { argv } = trainer.command(inputOf(sd1));
  const check = (...tokens: string[]) =>
    checkCommandLine(trainer, [...argv, ...tokens], argv, roots, async () => known);
  await check('--lr_scheduler=cosine');
  await check('--sample_every_n_epochs=2', '--save_last_n_steps=3', '--text_encoder_lr', '1e-4');
  for (const [given, meant] of [
    ['lr_scheduler_t=CosineAnnealingLR', 'lr_scheduler_type'],
    ['optimizer=evil.Module', 'optimizer_type'],
    ['network_mod=evil', 'network_module'],
    ['resum=last', 'resume'],
    ['output_d=here', 'output_dir'],
  ] as const)
    await expect(check(`--${given}`), given).rejects.toThrow(`would be read as --${meant}`);
});
