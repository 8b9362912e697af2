import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Argument } from '../../../sidecar/trainers/arguments.js';
import { requireAnswer } from '../../../sidecar/trainers/describe.js';

const bridge = fileURLToPath(new URL('../../../trainer-bridge', import.meta.url));

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

/** What a script's own parser says: its flags, and why it refuses which lists of tokens. */
export async function askParser(
  python: string,
  script: string,
  commands: readonly (readonly string[])[],
): Promise<{ refused: [string[], string][]; known: Argument[] }> {
  const asking = promisify(execFile)(python, ['-c', PARSE, script], {
    cwd: dirname(script),
    env: { ...process.env, PYTHONPATH: bridge },
    maxBuffer: 64 * 1024 * 1024,
  });
  asking.child.stdin?.end(JSON.stringify(commands));
  const [refused = '', described = ''] = (await asking).stdout.trimEnd().split('\n').slice(-2);
  return { refused: JSON.parse(refused), known: requireAnswer(described, script) };
}
