import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Argument } from '../../../sidecar/trainers/arguments.js';
import { describeCommand, requireAnswer } from '../../../sidecar/trainers/describe.js';

/** Parses each list of tokens with the script's own parser, and prints what it says of those that it refuses. */
const PARSE = `
import argparse, json, os, runpy, sys
class Reached(BaseException):
    pass
class Refused(Exception):
    pass
def stop(parser, *_, **__):
    raise Reached(parser)
def refuse(message):
    raise Refused(message)
own = argparse.ArgumentParser.parse_args, argparse.ArgumentParser.parse_known_args
argparse.ArgumentParser.parse_args = argparse.ArgumentParser.parse_known_args = stop
script = sys.argv[1]
sys.argv = [script]
sys.path.insert(0, os.path.dirname(script))
try:
    runpy.run_path(script, run_name="__main__")
except Reached as reached:
    parser = reached.args[0]
argparse.ArgumentParser.parse_args, argparse.ArgumentParser.parse_known_args = own
parser.error = refuse
refused = []
for tokens in json.loads(sys.stdin.read()):
    try:
        parser.parse_args(tokens)
    except Refused as error:
        refused.append([tokens, str(error)])
print("\\n" + json.dumps(refused))
`;

const run = promisify(execFile);
const LARGEST = { maxBuffer: 64 * 1024 * 1024 };

/** The flags of a script, as its own parser says them. */
export async function askFlags(python: string, script: string): Promise<Argument[]> {
  const { argv, cwd, pythonPath } = describeCommand(python, script, dirname(script));
  const [program = '', ...rest] = argv;
  const told = await run(program, rest, { cwd, env: { ...process.env, PYTHONPATH: pythonPath }, ...LARGEST });
  return requireAnswer(told.stdout, script);
}

/** Why a script's own parser refuses which of these lists of tokens. */
export async function askParser(
  python: string,
  script: string,
  commands: readonly (readonly string[])[],
): Promise<[string[], string][]> {
  const asking = run(python, ['-c', PARSE, script], { cwd: dirname(script), ...LARGEST });
  asking.child.stdin?.end(JSON.stringify(commands));
  return JSON.parse((await asking).stdout.trimEnd().split('\n').at(-1) ?? '');
}
