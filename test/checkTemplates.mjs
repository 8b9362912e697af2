/* What no formatter checks in templates/: line length, tags a line, and that each names the type of its view. */
import { readdirSync, readFileSync } from 'node:fs';

const LONGEST_LINE = 140;
const MOST_TAGS = 3;

const types = new Map(
  [...readFileSync('sidecar/views/templates.ts', 'utf8').matchAll(/^ {2}'?([\w/]+)'?: (.+);$/gm)].map(
    ([, name, type]) => [name, type.replaceAll(/import\('[^']+'\)\./g, '')],
  ),
);
const problems = [];
for (const [name, type] of types) {
  const file = `templates/${name}.eta`;
  const lines = readFileSync(file, 'utf8').replace(/\n$/, '').split('\n');
  if (lines[0] !== `<% /* ${type} */ %>`) problems.push(`${file}:1: has to be <% /* ${type} */ %>, as in templates.ts`);
  lines.forEach((line, index) => {
    const say = (problem) => problems.push(`${file}:${index + 1}: ${problem}`);
    if (line.length > LONGEST_LINE) say(`${line.length} characters, ${LONGEST_LINE} at most`);
    if (line.trimEnd() !== line) say('white space at the end');
    if ((line.match(/<[a-z]/g) ?? []).length > MOST_TAGS) say(`more than ${MOST_TAGS} tags`);
    for (const [, part] of line.matchAll(/(?:part\(|list\('[\w-]+', )'(\w+)'/g))
      if (!types.has(`parts/${part}`)) say(`there is no part ${part}`);
  });
}
for (const file of readdirSync('templates', { recursive: true }))
  if (file.endsWith('.eta') && !types.has(file.slice(0, -4))) problems.push(`templates/${file}: not in templates.ts`);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
