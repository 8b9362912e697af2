import { execFile } from 'node:child_process';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Problem } from '../../sidecar/problem.js';
import { type Argument, checkArguments } from '../../sidecar/trainers/arguments.js';
import { describeArguments, type Run } from '../../sidecar/trainers/describe.js';
import { practiceTrainer } from '../../sidecar/trainers/practice.js';
import { temporaryFolder } from './fixtures.js';

let runs = 0;
const run: Run = ({ argv: [program = '', ...rest], cwd, pythonPath }) => {
  runs += 1;
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PYTHONPATH: pythonPath, PYTHONDONTWRITEBYTECODE: '1' };
    execFile(program, rest, { cwd, env }, (error, stdout) =>
      error && typeof error.code !== 'number' ? reject(error) : resolve(stdout),
    );
  });
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let script: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  script = join(folder.path, 'my_train.py');
});
afterEach(() => folder.remove());

const ask = () =>
  describeArguments({ label: 'Mine', script: { path: script, cwd: folder.path } }, { python: 'python3', run });

const SCRIPT = `
import argparse, os
from beside import STEPS
print("hello from the script")
class Parser(argparse.ArgumentParser):
    pass
parser = Parser()
parser.add_argument("data")
group = parser.add_argument_group("learning")
group.add_argument("--lr", "-l", type=float, default=1e-4, help="learning rate (default: %(default)s), 100% sure")
group.add_argument("--steps", type=int, default=STEPS)
group.add_argument("--optimizer", choices=["adam", "sgd"], default="adam")
group.add_argument("--optimizer_args", nargs="*")
group.add_argument("--sizes", type=int, nargs=2, default=(1, 2))
group.add_argument("--fast", action="store_true")
group.add_argument("--no_cache", dest="cache", action="store_false")
group.add_argument("--path", type=os.path.abspath, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
group.add_argument("--precision", choices=[None, "fp16"])
group.add_argument("--limit", type=float, default=float("inf"))
try:
    args = parser.parse_args()
except Exception:
    pass
open("trained", "w").close()
`;

describe("a script's own parser", () => {
  test('tells every argument with its type, and the script does not train', async () => {
    await writeFile(join(folder.path, 'beside.py'), 'STEPS = 12\n');
    await writeFile(script, SCRIPT);
    const described = await ask();
    expect(described).toMatchObject([
      { name: 'lr', flags: ['--lr', '-l'], type: 'number', default: 1e-4, group: 'learning' },
      { name: 'steps', type: 'integer', default: 12 },
      { name: 'optimizer', type: 'text', default: 'adam', choices: ['adam', 'sgd'] },
      { name: 'optimizer_args', type: 'list', default: null },
      { name: 'sizes', type: 'list', default: [1, 2] },
      { name: 'fast', type: 'switch', default: false },
      { name: 'no_cache', type: 'switch', default: false },
      { name: 'path', type: 'text', default: null, help: null },
      { name: 'precision', choices: ['fp16'] },
      { name: 'limit', type: 'number', default: 'inf' },
    ]);
    expect(
      await describeArguments(
        { label: 'Mine', script: { path: script, cwd: folder.path } },
        { python: 'python3', run },
      ),
    ).toEqual(described);
    await expect(import('node:fs/promises').then(({ stat }) => stat(join(folder.path, 'trained')))).rejects.toThrow();
  });

  test('is asked once, and again when the script changes', async () => {
    const one = 'import argparse\np = argparse.ArgumentParser()\np.add_argument("--one")\np.parse_known_args()\n';
    await writeFile(script, one);
    runs = 0;
    await Promise.all([ask(), ask()]);
    await ask();
    expect(runs).toBe(1);
    await writeFile(script, one.replace('one', 'two'));
    await utimes(script, 1, 1);
    expect(await ask()).toMatchObject([{ name: 'two' }]);
  });

  test('what it told is kept for the next start, until the script, its checkout or a file beside it changes', async () => {
    await writeFile(
      script,
      'import argparse\np = argparse.ArgumentParser()\np.add_argument("--one")\np.parse_args()\n',
    );
    await writeFile(join(folder.path, 'also.py'), '');
    const kept = join(folder.path, 'kept');
    const askAfterRestart = async (commit: string) => {
      // As a new process does, which remembers nothing.
      vi.resetModules();
      const fresh = await import('../../sidecar/trainers/describe.js');
      const at = { path: script, cwd: folder.path, commit, also: ['also.py'] };
      return fresh.describeArguments({ label: 'Mine', script: at }, { python: 'python3', run, kept });
    };
    runs = 0;
    const first = await askAfterRestart('a');
    expect(await askAfterRestart('a')).toEqual(first);
    expect(runs).toBe(1);
    await askAfterRestart('b');
    expect(runs).toBe(2);
    await utimes(join(folder.path, 'also.py'), 1, 1);
    await askAfterRestart('b');
    expect(runs).toBe(3);
  });

  test.each([
    ['import argparse\nimport nothing_like_it\n', /needs the Python package nothing_like_it/],
    ['print(1)\n', /reads no arguments with argparse/],
    ['import argparse, sys\nsys.exit(3)\n', /ended \(exit code 3\) before it read its arguments/],
    ['import argparse\n1/0\n', /failed before it read its arguments: ZeroDivisionError/],
  ])('%j is told in words', async (source, words) => {
    await writeFile(script, source);
    await expect(ask()).rejects.toThrow(words);
  });

  test('a script that is missing is told in words', async () => {
    await expect(ask()).rejects.toThrow(/The script of Mine is missing: .*my_train\.py\.$/);
  });
});

test("the practice trainer's further flags are those that no setting gives", async () => {
  const practice = practiceTrainer;
  const names = practice
    .furtherArguments(await describeArguments(practice, { python: 'python3', run }))
    .map(({ name }) => name);
  expect(names).toEqual([
    'network_alpha',
    'gradient_accumulation_steps',
    'save_every_n_steps',
    'save_last_n_epochs',
    'save_last_n_epochs_state',
    'save_state_on_train_end',
    'sample_every_n_epochs',
    'sample_at_first',
    'log_prefix',
  ]);
});

describe('further arguments', () => {
  const argument = (name: string, type: Argument['type'], more: Partial<Argument> = {}): Argument => ({
    name,
    flags: [`--${name}`],
    type,
    default: null,
    choices: null,
    help: null,
    group: null,
    ...more,
  });
  const known = [
    argument('network_alpha', 'number'),
    argument('save_every_n_steps', 'integer'),
    argument('log_prefix', 'text'),
    argument('sample_at_first', 'switch'),
    argument('optimizer_args', 'list'),
    argument('sampler', 'text', { choices: ['ddim', 'euler'] }),
  ];
  const fields = (given: Record<string, unknown>) => {
    try {
      checkArguments(known, given);
    } catch (error) {
      return (error as Problem).fields;
    }
    return null;
  };

  test('are given as typed, and what is empty is not given', () => {
    expect(
      checkArguments(known, {
        network_alpha: '8e-1',
        save_every_n_steps: '50',
        log_prefix: '',
        sample_at_first: 'on',
        optimizer_args: 'relative_step=False\nscale=-1\n',
        sampler: 'euler',
      }),
    ).toEqual({
      network_alpha: '8e-1',
      save_every_n_steps: 50,
      sample_at_first: true,
      optimizer_args: ['relative_step=False', 'scale=-1'],
      sampler: 'euler',
    });
    expect(checkArguments(known, { sample_at_first: 'false', network_alpha: null })).toEqual({});
  });

  test.each([
    ['output_dir', '/', '--output_dir is set by Trackside itself.'],
    ['resume', '/x', '--resume is set by Trackside itself.'],
    ['config_file', 'x', '--config_file is set by Trackside itself.'],
    ['network_al', '1', "--network_al is not one of this trainer's flags here; did you mean --network_alpha?"],
    ['resum', '/x', "--resum is not one of this trainer's flags here."],
    ['bogus', '1', "--bogus is not one of this trainer's flags here."],
    ['x --resume', '1', '--x --resume is not a valid flag name.'],
    ['network_alpha', 'much', '--network_alpha must be a number.'],
    ['save_every_n_steps', '1.5', '--save_every_n_steps must be a whole number.'],
    ['sampler', 'other', '--sampler must be one of ddim, euler.'],
    ['sample_at_first', 'x', '--sample_at_first is either on or off; it takes no value.'],
    ['optimizer_args', '--resume', '--optimizer_args: --resume would be read as a separate flag.'],
    ['log_prefix', ['a', 'b'], '--log_prefix takes one value.'],
  ])('%s = %j is refused in words', (name, value, words) => {
    expect(fields({ [name]: value })).toEqual({ [`arguments.${name}`]: words });
  });
});
