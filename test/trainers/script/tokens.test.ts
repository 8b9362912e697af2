import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bridge } from '../../../sidecar/bridge.js';
import { Problem } from '../../../sidecar/problem.js';
import { chosenParsers, readDescription } from '../../../sidecar/trainers/script/description.js';
import { shellWords } from '../../../sidecar/trainers/script/shellWords.js';
import { scriptTokens } from '../../../sidecar/trainers/script/tokens.js';
import { readValues } from '../../../sidecar/trainers/script/values.js';

const MAKER = fileURLToPath(new URL('parsers.py', import.meta.url));
const roots = { closed: ['/'], linked: ['/'], cwd: '/' };

type Told = { arguments: [kind: string, place: string][]; commands?: Record<string, Told>; fromfile?: string };
type Answer = { description: unknown; values?: Record<string, unknown>; wrong?: string };

/** One process for all. */
function ask(requests: readonly object[]): Answer[] {
  const env = { ...process.env, PYTHONPATH: bridge.folder };
  const input = requests.map((each) => JSON.stringify(each)).join('\n');
  const printed = execFileSync('python3', [MAKER], { env, input, encoding: 'utf8', maxBuffer: 64_000_000 });
  return printed
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}

const word = fc.oneof(
  fc.constantFrom(
    '-',
    '--',
    '-1',
    '-x',
    '--a0',
    '--a0=1',
    '-1e-3',
    '@file',
    '=',
    'a b',
    "it's",
    '"',
    '$HOME',
    '*',
    '\\',
    '日本',
    '{}',
    'train',
  ),
  fc.stringMatching(/^[ -~]{1,12}$/).filter((text) => text.trim() !== '' && !/^[/~\\]|^file:|\.\.|:\/\/|\\/.test(text)),
);
const number = fc.constantFrom('0', '1', '-1', '1e-4', '-0.5', '2.5', 'inf');
const some = (most: number, least = 1) => fc.array(word, { minLength: least, maxLength: most });
const quoted = (words: string[]) => words.map((each) => `'${each.replaceAll("'", "'\\''")}'`).join(' ');

/** What a person fills in for each kind, and what the script should have of it. */
const KINDS: Record<string, fc.Arbitrary<{ given: unknown; value: unknown }>> = {
  text: word.map((given) => ({ given, value: given })),
  integer: fc.integer({ min: -9999, max: 9999 }).map((given) => ({ given: String(given), value: given })),
  number: number.map((given) => ({ given, value: given === 'inf' ? 'inf' : Number(given) })),
  choice: fc.constantFrom(1, 2, 30).map((value) => ({ given: String(value), value })),
  switch: fc.constant({ given: 'on', value: true }),
  off: fc.constant({ given: 'on', value: false }),
  const: fc.constant({ given: true, value: 'c' }),
  boolean: fc.boolean().map((value) => ({ given: String(value), value })),
  trap: fc.boolean().map((value) => ({ given: value, value })),
  count: fc.integer({ min: 1, max: 4 }).map((value) => ({ given: value, value })),
  append: some(3).map((value) => ({ given: value, value })),
  extend: some(3).map((value) => ({ given: value.join('\n'), value })),
  pairs: fc
    .array(some(2, 2), { minLength: 1, maxLength: 2 })
    .map((value) => ({ given: value.map(quoted).join('\n'), value })),
  'many lists': fc.array(some(3), { minLength: 1, maxLength: 2 }).map((value) => ({ given: value.map(quoted), value })),
  any: some(3).map((value) => ({ given: value, value })),
  some: some(3).map((value) => ({ given: value.join('\r\n'), value })),
  three: some(3, 3).map((value) => ({ given: value, value })),
  one: some(1).map((value) => ({ given: value, value })),
  numbers: fc
    .array(fc.constantFrom('1', '2.5', '-3', '-0.5'), { minLength: 1, maxLength: 3 })
    .map((all) => ({ given: all, value: all.map(Number) })),
  optional: word.map((given) => ({ given, value: given })),
  rest: some(3).map((value) => ({ given: value, value })),
};
const FLAGLESS = ['text', 'integer', 'number', 'choice', 'any', 'some', 'three', 'numbers', 'optional'];

const options = fc.array(
  fc.tuple(
    fc.constantFrom(...Object.keys(KINDS).filter((kind) => kind !== 'rest')),
    fc.constantFrom('long', 'short', 'both'),
  ),
  { maxLength: 5 },
);
const positional = fc.array(fc.tuple(fc.constantFrom('text', 'integer', 'choice'), fc.constant('positional')), {
  maxLength: 2,
});
const last = fc.option(fc.tuple(fc.constantFrom(...FLAGLESS, 'rest'), fc.constant('positional')), { nil: undefined });
const plain: fc.Arbitrary<Told> = fc
  .tuple(options, positional, last)
  .map(([first, second, third]) => ({ arguments: [...first, ...second, ...(third ? [third] : [])] }));
const parser: fc.Arbitrary<Told> = fc.oneof(
  { weight: 3, arbitrary: plain },
  { weight: 1, arbitrary: plain.map((told) => ({ ...told, fromfile: '@' })) },
  {
    weight: 2,
    arbitrary: fc.tuple(options, positional, plain).map(([first, second, inner]) => ({
      arguments: [...first, ...second],
      commands: { train: inner, other: { arguments: [] } },
    })),
  },
);

/** A value for each positional argument, and for some of the options. */
function filled(
  told: Told,
  prefix = '',
  letter = 'a',
): fc.Arbitrary<{ given: Record<string, unknown>; values: Record<string, unknown> }> {
  const each = told.arguments.map(([kind, place], at) => {
    const value = KINDS[kind] ?? fc.constant({ given: '', value: null });
    // argparse names an option by its long flag, and one without it by its short one.
    const name = place === 'short' ? String.fromCharCode(97 + at) : `${letter}${at}`;
    return (place === 'positional' ? value : fc.option(value)).map((found) => ({
      name: prefix + name,
      dest: `${letter}${at}`,
      found,
    }));
  });
  const inner = told.commands?.train ? filled(told.commands.train, `${prefix}train/`, 'b') : null;
  return fc.tuple(fc.tuple(...each), inner ?? fc.constant(null)).map(([own, command]) => ({
    given: {
      ...Object.fromEntries(own.flatMap(({ name, found }) => (found ? [[name, found.given]] : []))),
      ...(command ? { [`${prefix}command`]: 'train', ...command.given } : {}),
    },
    values: {
      ...Object.fromEntries(own.flatMap(({ dest, found }) => (found ? [[dest, found.value]] : []))),
      ...(command ? { command: 'train', ...command.values } : {}),
    },
  }));
}

test('what a form shows is what the script’s own parser has, or is refused in words', () => {
  const told = fc.sample(parser, { seed: 7, numRuns: 400 });
  const described = ask(told);
  const cases = told.flatMap((each, at) => {
    const description = readDescription({
      ...(described[at]?.description as object),
      files: {},
      seconds: 0,
      uses_trackside: false,
    });
    if (!description) throw new Error(JSON.stringify(described[at]));
    return fc.sample(filled(each), { seed: at, numRuns: 2 }).map((fill) => ({ told: each, description, fill }));
  });
  const refused: string[] = [];
  const sent = cases.flatMap(({ told: each, description, fill }) => {
    try {
      const values = readValues(description, fill.given, roots, true);
      return [
        {
          ...each,
          argv: scriptTokens(description.parser, values),
          fill,
          parsers: chosenParsers(description.parser, values),
        },
      ];
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      refused.push(error.message);
      return [];
    }
  });
  const read = ask(sent.map(({ parsers: _, ...each }) => each));
  sent.forEach(({ argv, fill, parsers, arguments: all }, at) => {
    const about = `${JSON.stringify(argv)} of ${JSON.stringify(all)}`;
    expect(read[at]?.wrong, about).toBeUndefined();
    const { values = {} } = read[at] ?? {};
    const names = Object.keys(fill.values);
    expect(Object.fromEntries(names.map((name) => [name, values[name]])), about).toEqual(fill.values);
    expect(parsers.length).toBeGreaterThan(0);
  });
  for (const words of refused)
    expect(words).toMatch(/would be read as|would take the words after it|is not inside the folders/);
  // Most of these values are traps on purpose.
  expect(sent.length).toBeGreaterThan(cases.length / 2);
});

test('words of a line are those of a shell', () => {
  expect(shellWords(`a  'b c' "d \\"e\\"" f\\ g '' x"y"'z'`)).toEqual(['a', 'b c', 'd "e"', 'f g', '', 'xyz']);
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 8 }), { maxLength: 4 }), (words) => {
      expect(shellWords(quoted(words))).toEqual(words);
    }),
  );
});
