// A pattern that looks at each character more than once stands still on a long line: 60,000 digits took 4 s. Prints every
// pattern of sidecar/, of the pages' scripts and of trainer-bridge/ whose time grows faster than the text, and ends with 1
// then. One that only ever sees short text says so on its own line or the two above:
//   // short: <why>        (# short: in Python)
import { readdirSync, readFileSync } from 'node:fs';
import { parseSync } from '@swc/core';
import { analyse } from 'scslre';

const LONG = 24_000;
const COUNT = process.argv.includes('--count');
const MARK = /(?:\/\/|#) short: \S/;
/** Repeated, they are lines that somebody finds in a log: numbers, rulers, colours, quotes, paths, redrawn bars. */
const PUMPS = [
  ...[
    '0',
    '9',
    ' ',
    '\t',
    '\n',
    '\r',
    '.',
    ',',
    ':',
    ';',
    '-',
    '_',
    '=',
    '/',
    '\\',
    '|',
    '%',
    '#',
    '~',
    '*',
    '+',
    '<',
    '>',
  ],
  ...[
    '"',
    "'",
    '`',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    'a',
    'A',
    'e',
    '\u001b',
    'ä',
    '\u2502',
    '\u202e',
    '\0',
    '@',
    '!',
    '&',
  ],
  ...[
    '0 ',
    '0.',
    '0,',
    'a ',
    'a.',
    'a/',
    'a: ',
    'a=',
    'ab',
    'a\n',
    ' \n',
    '\r\n',
    '0%|',
    '1/2 ',
    '[0] ',
    '\u001b[',
    '\u001b[0m',
  ],
  ...[
    '("',
    '")',
    '""',
    "''",
    '[[',
    '{"',
    '--a ',
    '-a',
    '$a',
    '${',
    'File "a", line 1\n',
    'aError: ',
    'Traceback ',
    'https://',
  ],
];

/** Milliseconds that are worth a second look. */
const SLOW_MS = 10;

/** `re.search(r"…" r"…",` */
const PYTHON = /\bre\.(\w+)\(\s*((?:r"(?:[^"\\\n]|\\.)*"\s*)+)[,)]/g;

const patterns = [
  ...inScripts('sidecar', '.ts'),
  ...inScripts('templates/static', '.js'),
  ...inPython('trainer-bridge'),
];
const wrong = [];
let excused = 0;
for (const each of patterns) {
  const why = each.dynamic ? 'is made at run time, so that it cannot be checked' : (byAnalysis(each) ?? byTrial(each));
  if (why === null) continue;
  if (MARK.test(each.around)) excused += 1;
  else wrong.push(`${each.place}: /${each.pattern}/${each.flags}\n    ${why}`);
}
if (COUNT) console.log(`${patterns.length} patterns, ${excused} of them for short text only, ${wrong.length} too slow`);
for (const line of wrong) console.error(line);
if (wrong.length > 0) {
  console.error('These patterns stand still on a long line: bound their quantifiers, or say "// short: <why>".');
  process.exit(1);
}

/** By its structure: how it backtracks, and whether it begins anew at each character. */
function byAnalysis({ pattern, flags }) {
  const { reports } = analyse({ source: pattern, flags: flags.replace('v', 'u') }, { reportTypes: { Move: true } });
  const report = reports[0];
  if (!report) return null;
  const how = report.exponential ? 'exponential' : 'quadratic';
  return `${how} in ${JSON.stringify(report.character.pick)} repeated (${report.type})`;
}

/** By the clock: eight times the text must not take 25 times as long. */
function byTrial({ pattern, flags }) {
  const own = pattern.match(/[A-Za-z]{2,}[ :."'=(]*/g) ?? [];
  for (const pump of [...PUMPS, ...own]) {
    if (time(pattern, flags, pump, LONG) < SLOW_MS) continue;
    const [short, long] = [LONG / 8, LONG].map((length) =>
      Math.min(...[0, 1, 2].map(() => time(pattern, flags, pump, length))),
    );
    // Once may have been the machine.
    if (long >= SLOW_MS && long > 25 * short)
      return `${Math.round(long)} ms for ${LONG} characters of ${JSON.stringify(pump)}, ${Math.round(long / short)} times those of an eighth`;
  }
  return null;
}

function time(pattern, flags, pump, length) {
  const regExp = new RegExp(pattern, `${flags.replace('g', '')}`);
  const text = `${pump.repeat(Math.ceil(length / pump.length))}\u0001`;
  // Compiled by then.
  for (let run = 0; run < 3; run += 1) regExp.test(text.slice(0, 500));
  // Of the processor, not of the wall: other programs may be busy.
  const begun = process.cpuUsage();
  regExp.test(text);
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

function inScripts(folder, ending) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(ending))
    .sort()
    .flatMap((name) => inScript(`${folder}/${name}`));
}

function inScript(file) {
  const text = readFileSync(file, 'utf8').replace(/^#!/, '//');
  // The spans of swc count bytes, from the first token on, and from file to file.
  const bytes = Buffer.from(`;${text}`);
  const module = parseSync(`;${text}`, {
    syntax: file.endsWith('.ts') ? 'typescript' : 'ecmascript',
    target: 'es2022',
  });
  const found = [];
  walk(module, (node) => {
    const isMade = (node.type === 'NewExpression' || node.type === 'CallExpression') && node.callee?.value === 'RegExp';
    if (node.type !== 'RegExpLiteral' && !isMade) return;
    const lines = bytes
      .subarray(0, node.span.start - module.span.start)
      .toString('utf8')
      .split('\n');
    found.push({
      place: `${file}:${lines.length}`,
      pattern: node.pattern ?? '',
      flags: node.flags ?? '',
      dynamic: isMade,
      around: text
        .split('\n')
        .slice(Math.max(0, lines.length - 3), lines.length)
        .join('\n'),
    });
  });
  return found;
}

function walk(node, take) {
  if (node === null || typeof node !== 'object') return;
  if (Array.isArray(node)) for (const each of node) walk(each, take);
  else {
    if (typeof node.type === 'string') take(node);
    for (const value of Object.values(node)) walk(value, take);
  }
}

/** Raw strings that are given to re.…; those that are put together there are left to the reader. */
function inPython(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.py'));
  return files.sort().flatMap((name) => {
    const text = readFileSync(`${folder}/${name}`, 'utf8');
    return [...text.matchAll(PYTHON)].map(({ index, 1: how, 2: literals = '' }) => {
      const raw = [...literals.matchAll(/r"((?:[^"\\]|\\.)*)"/g)].map(([, inner]) => inner).join('');
      const lines = text.slice(0, index).split('\n').length;
      const around = text
        .split('\n')
        .slice(Math.max(0, lines - 3), lines)
        .join('\n');
      const pattern = how === 'match' || how === 'fullmatch' ? `^(?:${raw})` : raw;
      return { place: `${folder}/${name}:${lines}`, pattern, flags: '', dynamic: false, around };
    });
  });
}
