// No error goes by in silence: a catch handles it, logs it or throws it on; or it says why not, as
//   // silent: <why>
// on its own line, the one above, or the first line within. Prints what does not, and ends with 1 then.
import { readdirSync, readFileSync } from 'node:fs';

const MARK = /\/\/ silent: \S/;
/** A `catch` that takes no error, and a handler that does not. */
const DEAF = /\bcatch \{|\.catch\(\s*(?:async )?\(\) =>|\bthen\([^;]*?,\s*\(\) =>/g;

let deaf = 0;
let marked = 0;
const wrong = [];
const files = readdirSync('sidecar', { recursive: true }).filter((name) => name.endsWith('.ts'));
for (const file of files.map((name) => `sidecar/${name}`).sort()) {
  const text = readFileSync(file, 'utf8');
  const lines = text.split('\n');
  for (const { index, 0: found } of text.matchAll(DEAF)) {
    deaf += 1;
    const number = text.slice(0, index + found.length).split('\n').length;
    if (lines.slice(Math.max(0, number - 2), number + 1).some((line) => MARK.test(line))) marked += 1;
    else if (!/\bthrow\b|\blog\.\w+\(/.test(bodyOf(text, index + found.length - (found.endsWith('{') ? 1 : 0))))
      wrong.push(`${file}:${number}: ${lines[number - 1].trim()}`);
  }
}
if (process.argv.includes('--count'))
  console.log(`${deaf} take no error, ${marked} of them say why, ${wrong.length} do not`);
for (const line of wrong) console.error(line);
if (wrong.length > 0) {
  console.error('An error goes by in silence here: handle it, log it (sidecar/caught.ts), or say "// silent: <why>".');
  process.exit(1);
}

/** From the first brace or the expression after `start` to its end. */
function bodyOf(text, start) {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if ('{(['.includes(text[at])) depth += 1;
    if ('})]'.includes(text[at])) depth -= 1;
    if (depth < 0 || (depth === 0 && '}'.includes(text[at]))) return text.slice(start, at + 1);
  }
  return text.slice(start);
}
