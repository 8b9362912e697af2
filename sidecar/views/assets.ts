import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

export type Asset = { type: string; bytes: Buffer; gzip: Buffer; brotli: Buffer };

export type Assets = ReturnType<typeof loadAssets>;

/**
 * Every file a page loads, under a name that changes with its content so that it may be cached for ever: what lies in
 * templates/static/, `trackside.css`, which is templates/styles/, and `trackside.js`, which holds htmx. Each is compressed
 * once, when it is first asked for.
 *
 * @param development reads them again for every page
 */
export function loadAssets(templates: string, development = false) {
  let read: ReturnType<typeof readAssets> | undefined;
  // A program may ask for sessions all day, and for no page.
  const all = () => {
    read ??= readAssets(templates);
    return read;
  };
  return {
    /** `live.js` → `assets/live.3f2a91c0.js`, relative to the site's root. Throws for a name that does not exist. */
    href(name: string) {
      if (development) read = undefined;
      const href = all().hrefs.get(name);
      if (!href) throw new Error(`There is no asset named ${name}.`);
      return href;
    },
    /** By the hashed name, without the folder. */
    find: (hashedName: string): Asset | undefined => all().assets.get(hashedName),
  };
}

function readAssets(templates: string): { hrefs: Map<string, string>; assets: Map<string, Asset> } {
  const folder = join(templates, 'static');
  const own = readdirSync(folder).map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
  const made = [
    { name: 'trackside.css', bytes: styles(join(templates, 'styles')) },
    { name: 'trackside.js', bytes: everyPage(folder) },
    { name: 'uplot.js', bytes: Buffer.from(`${library('uplot/dist/uPlot.iife.min.js')};export default uPlot;\n`) },
  ];
  const hrefs = new Map<string, string>();
  const assets = new Map<string, Asset>();
  const files = new Map([...own, ...made].map(({ name, bytes }) => [name, bytes]));
  for (const name of files.keys()) add(name);
  return { hrefs, assets };

  function add(name: string): string {
    const known = hrefs.get(name);
    if (known) return basename(known);
    const type = types[extname(name)];
    const bytes = files.get(name);
    if (!type || !bytes) return name;
    // A script imports its neighbours by their names, which the browser knows by their hashed ones.
    const text =
      type === SCRIPT
        ? withParts(name, files)
            .replace(COMMENT, '')
            .replace(CAST, '')
            .replace(INDENT, '')
            .replace(PLAIN_LINE, (line) => line.replace(AROUND, (_, text, sign) => text ?? sign))
            .replace(IMPORT, (_, what, file) => `${what}from './${add(file)}'`)
        : type === SHEET
          ? lighter(bytes.toString())
          : bytes;
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 10);
    const hashed = `${basename(name, extname(name))}.${hash}${extname(name)}`;
    hrefs.set(name, `assets/${hashed}`);
    assets.set(hashed, assetOf(type, Buffer.from(text)));
    return hashed;
  }
}

/** Scripts that one other alone imports: they are sent in it, which compresses better, and saves a request each. */
const PARTS = ['chartPlot.js', 'chartMarks.js', 'droppedFiles.js', 'uploadProgress.js'];

/** A script with its parts, in one scope: the same name twice would be an error as it loads. */
function withParts(name: string, files: ReadonlyMap<string, Buffer>): string {
  const imports: string[] = [];
  const text = inside(name);
  return [...imports, text].join('\n');

  function inside(file: string): string {
    const parts: string[] = [];
    const own = String(files.get(file)).replace(IMPORT_LINE, (line, _, from: string) => {
      if (PARTS.includes(from)) parts.push(inside(from));
      else imports.push(line.trimEnd());
      return '';
    });
    return [...parts, file === name ? own : own.replace(/^export /gm, '')].join('');
  }
}

// short: our own scripts
const IMPORT_LINE = /^import ([^'\n]{0,500}) from '\.\/([\w.]+)';\n/gm;

/** A style sheet without comments and line breaks: a sixth less, compressed. */
function lighter(sheet: string): string {
  // short: our own style sheets
  const plain = sheet.replace(/\/\*[\s\S]*?\*\//g, '');
  // short: our own style sheets
  const joined = plain.replace(/([{};,:])\s*\n\s*/g, '$1').replace(/\s*\n\s*/g, ' ');
  return joined
    .replaceAll(': ', ':')
    .replaceAll(' {', '{')
    .replaceAll(', ', ',')
    .replaceAll(';}', '}')
    .replaceAll(' > ', '>');
}

function assetOf(type: string, bytes: Buffer): Asset {
  let gzip: Buffer | undefined;
  let brotli: Buffer | undefined;
  // The last two levels would save a few hundred bytes, and take a tenth of a second.
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
  return {
    type,
    bytes,
    get gzip() {
      gzip ??= gzipSync(bytes, { level: 9 });
      return gzip;
    },
    get brotli() {
      brotli ??= brotliCompressSync(bytes, { params });
      return brotli;
    },
  };
}

/** Comments on lines of their own: a quarter of our scripts. */
// short: our own scripts
const COMMENT = /^[ \t]*(?:\/\*(?:(?!\*\/)[\s\S])*\*\/[ \t]*|\/\/.*)\n/gm;
/** Types within a line, for the type check alone. */
// short: our own scripts
const CAST = /\/\*\* @type [^*\n]{1,200}\*\/ ?/g;
/** Indents and empty lines; no text of ours, but one picture, goes over several lines. */
// short: our own scripts
const INDENT = /^\s+/gm;
/** A line without a pattern, a division or a text with something in it that is no text. */
const PLAIN_LINE = /^(?:[^'"`/\n]|'[^'"`/\n]*')*$/gm;
/** Texts, and spaces around signs, which say nothing; but for signs that would become another one together: `a + +b`. */
const AROUND = /('[^']*')| ?([=<>!&|?:,;(){}[\]]) ?/g;
const IMPORT = /^(import [^'\n]{0,500})from '\.\/([\w.]+)'/gm;
const SCRIPT = 'text/javascript; charset=utf-8';
const SHEET = 'text/css; charset=utf-8';
const types: Record<string, string> = {
  '.js': SCRIPT,
  '.css': SHEET,
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/**
 * One script of htmx and what every page needs of ours. htmx begins by itself as soon as the document is parsed, even
 * between two scripts: a page whose second one came a moment later would be without our extension.
 */
function everyPage(folder: string): Buffer {
  const own = (file: string) => readFileSync(join(folder, file), 'utf8');
  const ours = ['actions.js', 'live.js', 'contact.js', 'telling.js'].map((file) => `(() => {\n${own(file)}})();\n`);
  return Buffer.from([`${library('htmx.org/dist/htmx.min.js')};\n`, ...ours].join(''));
}

function library(path: string): string {
  return readFileSync(createRequire(import.meta.url).resolve(path), 'utf8');
}

/** In the order in which one may overrule another. */
const ROOMS =
  'base bar controls banner tables session sessionCurve sessionLists pictures form problem narrow secrets'.split(' ');

/** Throws for a sheet that has no place in the order. */
function styles(folder: string): Buffer {
  const forgotten = readdirSync(folder).filter((file) => !ROOMS.includes(basename(file, '.css')));
  if (forgotten.length > 0)
    throw new Error(`${forgotten.join(', ')} has no place in the order of sidecar/views/assets.ts.`);
  return Buffer.from(ROOMS.map((room) => readFileSync(join(folder, `${room}.css`), 'utf8')).join('\n'));
}
