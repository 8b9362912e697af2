import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { describeArguments } from '../../../sidecar/trainers/describe.js';
import { findCheckout } from '../../../sidecar/trainers/sdScripts/checkout.js';
import { families } from '../../../sidecar/trainers/sdScripts/families.js';
import { everyCommand, trainerOf } from './commands.js';
import facts from './parserFacts.json' with { type: 'json' };

const bridge = fileURLToPath(new URL('../../../trainer-bridge', import.meta.url));
const sdScripts = process.env.TRACKSIDE_SD_SCRIPTS ?? '';
const python = process.env.TRACKSIDE_PYTHON || 'python3';
const found = findCheckout({ sdScripts, python, root: bridge }, []);

/** Parses each list of tokens with the script's own parser; prints what it says of those that it refuses, and its description. */
const PARSE = `
import argparse, json, sys
from trackside._describe import ParserReached, describe_parser, run_to_parser
own = argparse.ArgumentParser.parse_args, argparse.ArgumentParser.parse_known_args
try:
    run_to_parser(sys.argv[1])
except ParserReached as reached:
    parser = reached.parser
argparse.ArgumentParser.parse_args, argparse.ArgumentParser.parse_known_args = own
refused = []
class Refused(Exception):
    pass
def refuse(message):
    raise Refused(message)
parser.error = refuse
for tokens in json.loads(sys.stdin.read()):
    try:
        parser.parse_args(tokens)
    except Refused as error:
        refused.append([tokens, str(error)])
print("\\n" + json.dumps(refused) + "\\n" + json.dumps({"arguments": describe_parser(parser)}))
`;

describe.skipIf(!sdScripts || 'missing' in found)('against the checkout of TRACKSIDE_SD_SCRIPTS', () => {
  const checkout = found as Exclude<typeof found, { missing: string }>;

  test.each([...new Set(families.map(({ script }) => script))])(
    '%s takes every flag of every preset, and its parser is as our table says',
    async (script) => {
      const commands = everyCommand().filter(({ family }) => family.script === script);
      const path = `${checkout.path}/${script}`;
      const asking = promisify(execFile)(checkout.python, ['-c', PARSE, path], {
        cwd: checkout.path,
        env: { ...process.env, PYTHONPATH: bridge },
      });
      asking.child.stdin?.end(JSON.stringify(commands.map(({ flags }) => flags)));
      const [refused = '', described = ''] = (await asking).stdout.trimEnd().split('\n').slice(-2);
      expect(JSON.parse(refused)).toEqual([]);

      const [first] = commands;
      if (!first) throw new Error('no command');
      const trainer = { ...trainerOf(first.family), script: { path, cwd: checkout.path } };
      const known = await describeArguments(trainer, { python: checkout.python, run: async () => described });
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
    },
    120_000,
  );
});
