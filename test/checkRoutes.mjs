// Every route of sidecar/routes/ is described for openapi.json, and every description is of a route.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = 'sidecar/routes';
const described = join(folder, 'described');
const ROUTE =
  /\b\w*[rR]outes\.(get|post|put|patch|delete)\(\s*'(\/[^']*)'|new Hono\(\)\.(get|post|put|patch|delete)\(\s*'(\/[^']*)'/g;
const KEY = /^ {2}'((?:GET|POST|PUT|PATCH|DELETE) \/[^']*)':/gm;

const found = new Map();
for (const path of filesIn(folder)) {
  if (path.startsWith(described)) continue;
  for (const [, method, route, only, its] of readFileSync(path, 'utf8').matchAll(ROUTE))
    found.set(`${(method ?? only).toUpperCase()} ${route ?? its}`, path);
}
const told = new Map();
for (const path of filesIn(described)) {
  for (const [, key] of readFileSync(path, 'utf8').matchAll(KEY)) told.set(key, path);
}
const wrong = [
  ...[...found].filter(([key]) => !told.has(key)).map(([key, path]) => `${path}: describe '${key}' in ${described}/`),
  ...[...told].filter(([key]) => !found.has(key)).map(([key, path]) => `${path}: '${key}' is no route any more`),
];
if (found.size < 50) wrong.push('checkRoutes.mjs no longer recognises how routes are written');
for (const each of wrong) console.error(each);
process.exit(wrong.length > 0 ? 1 : 0);

function filesIn(place) {
  return readdirSync(place, { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(place, name));
}
