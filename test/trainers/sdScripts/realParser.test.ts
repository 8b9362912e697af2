import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Argument } from '../../../sidecar/trainers/arguments.js';
import { findCheckout } from '../../../sidecar/trainers/sdScripts/checkout.js';
import { families } from '../../../sidecar/trainers/sdScripts/families.js';
import type { Trainer } from '../../../sidecar/trainers/trainer.js';
import { askFlags, askParser } from './askParser.js';
import { everyCommand, trainerOf } from './commands.js';
import { everyFlag } from './everyFlag.js';
import facts from './parserFacts.json' with { type: 'json' };

const bridge = fileURLToPath(new URL('../../../trainer-bridge', import.meta.url));
const standIn = fileURLToPath(new URL('../../sd-scripts/standIn/checkout', import.meta.url));
const sdScripts = process.env.TRACKSIDE_SD_SCRIPTS ?? '';
const python = process.env.TRACKSIDE_PYTHON || 'python3';
const found = findCheckout({ sdScripts, python, root: bridge }, []);

describe.skipIf(!sdScripts || 'missing' in found)('against the checkout of TRACKSIDE_SD_SCRIPTS', () => {
  const checkout = found as Exclude<typeof found, { missing: string }>;

  test.each([...new Set(families.map(({ script }) => script))])(
    '%s takes every flag of every preset, and its parser is as our table says',
    async (script) => {
      const commands = everyCommand().filter(({ family }) => family.script === script);
      const path = `${checkout.path}/${script}`;
      const flags = commands.map((each) => each.flags);
      expect(await askParser(checkout.python, path, flags)).toEqual([]);
      const known = await askFlags(checkout.python, path);

      const [first] = commands;
      if (!first) throw new Error('no command');
      const trainer = trainerOf(first.family);
      const table = (facts as Record<string, Record<string, { type: string; choices?: string[] }>>)[script] ?? {};
      for (const [name, { type, choices }] of Object.entries(table)) {
        const argument = known.find((each) => each.name === name);
        expect([name, argument?.type, argument?.choices?.map(String)]).toEqual([name, type, choices]);
      }
      // What is known without asking is of the types that the parser says.
      for (const basic of trainer.furtherArguments(trainer.basics ?? [])) {
        const argument = known.find((each) => each.name === basic.name);
        expect([basic.name, argument?.name]).toEqual([basic.name, basic.name]);
      }
      // Each flag with its default, each of its choices and a value of its type.
      for (const family of families.filter((each) => each.script === script)) {
        const given = await everyFlag(family, known);
        expect(given.refused).toEqual([]);
        const asked = await askParser(
          checkout.python,
          path,
          given.passed.map(({ tokens }) => tokens),
        );
        expect(asked).toEqual([]);
      }
      // The stand-in, which tests without a checkout ask, has the same parser as far as people may use it.
      const copy = await askFlags('python3', join(standIn, script));
      expect(shape(trainer, copy)).toEqual(shape(trainer, known));
    },
    240_000,
  );
});

function shape(trainer: Trainer, known: readonly Argument[]): string[] {
  const further = trainer.furtherArguments(known);
  return further.map(({ name, type, items, choices }) => JSON.stringify({ name, type, items, choices })).sort();
}
