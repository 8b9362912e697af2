import { isUtf8 } from 'node:buffer';
import { type Entry, getFileNameLowLevel, type ZipFile } from 'yauzl';
import { LONGEST_CAPTION } from '../caption.js';
import { captionStem, hasHeicEnding, hasMixedEnding, pictureStem, printable } from '../names.js';
import { LARGEST_PICTURE } from '../receive.js';
import { type Decode, encodingOf } from './nameEncoding.js';
import { refused } from './refused.js';

/** A file of an archive, to be unpacked under `name`. */
export type Wanted = { entry: Entry; name: string; kind: 'picture' | 'caption' };

/** An archive's files for a dataset. `passedOver`: names of files that are neither pictures nor captions. */
export type Contents = { wanted: Wanted[]; passedOver: string[]; bytes: number };

export const MOST_FILES = 20_000;
/** Bytes of all pictures together. */
export const LARGEST_UNPACKED = 64_000_000_000;
/** Bytes of all names and comments together. */
const LONGEST_DIRECTORY = 16_000_000;
/** Pictures are packed already; black ones shrink most. Fewer bytes than these are no bomb at any ratio. */
const MOST_TIMES_SMALLER = 250;
const HARMLESS_BYTES = 50_000_000;

/**
 * Reads the directory of an archive without unpacking it, and refuses the whole archive for anything that no honest one
 * contains: paths that lead out, links and devices, encrypted or overlapping files, two files of one name, bombs. Throws a
 * Problem that names the file.
 */
export async function readContents(zip: ZipFile): Promise<Contents> {
  const found: Contents = { wanted: [], passedOver: [], bytes: 0 };
  const stretches: { from: number; to: number; name: string }[] = [];
  const folders = new Set<string>();
  const entries = await entriesOf(zip);
  const decode = encodingOf(entries.filter((entry) => !saysEncoding(entry)).map(({ fileNameRaw }) => fileNameRaw));
  for (const entry of entries) {
    const path = safePath(entry, decode);
    if (path.endsWith('/')) continue;
    refuseSpecial(entry, path);
    stretches.push(await stretchOf(zip, entry, path));
    const [folder, name] = [path.slice(0, path.lastIndexOf('/') + 1), path.slice(path.lastIndexOf('/') + 1)];
    if (isRubbish(folder, name)) continue;
    const kind = kindByName(name);
    if (kind === null) {
      found.passedOver.push(name);
      continue;
    }
    refuseBomb(entry, path, kind);
    found.bytes += entry.uncompressedSize;
    folders.add(folder);
    found.wanted.push({ entry, name, kind });
  }
  refuseOverlaps(stretches);
  if (found.wanted.length === 0) throw refused('archive_empty', whyEmpty(found.passedOver));
  refuseSecondNames(found.wanted, folders);
  const packed = found.wanted.reduce((sum, { entry }) => sum + entry.compressedSize, 0);
  if (found.bytes > LARGEST_UNPACKED || isBomb(found.bytes, packed))
    throw refused('archive_bomb', `it would unpack to ${inMegabytes(found.bytes)}`);
  return found;
}

function kindByName(name: string): Wanted['kind'] | null {
  if (captionStem(name)) return 'caption';
  return pictureStem(name) || hasMixedEnding(name) || hasHeicEnding(name) ? 'picture' : null;
}

async function entriesOf(zip: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = [];
  let directory = 0;
  for await (const entry of zip.eachEntry()) {
    directory += entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
    if (entries.push(entry) > MOST_FILES || directory > LONGEST_DIRECTORY)
      throw refused('too_many_files', `it contains more than ${MOST_FILES.toLocaleString('en')} files`);
  }
  return entries;
}

/**
 * The path of an entry, with `/` between folders. Throws a Problem for a path that could lead elsewhere.
 *
 * @param decode of names that do not say what they are; null for UTF-8 and CP437
 */
function safePath(entry: Entry, decode: Decode | null): string {
  const flags = entry.generalPurposeBitFlag;
  // Packers of macOS and others write UTF-8 and do not say so; names in other encodings are no UTF-8, or ASCII.
  const told = isUtf8(entry.fileNameRaw) ? flags | UTF8_NAMES : flags;
  const given =
    decode && !saysEncoding(entry)
      ? decode(entry.fileNameRaw)
      : getFileNameLowLevel(told, entry.fileNameRaw, entry.extraFields, true);
  // Windows PowerShell writes backslashes between folders. Packers of Unix tell the kind of each file: there it is a letter.
  const path = kindOf(entry) === 0 ? given.replaceAll('\\', '/') : given;
  const parts = path.replace(/\/$/, '').split('/');
  const why =
    path === ''
      ? 'has no name'
      : /\p{Cc}/u.test(path)
        ? 'has a control character in its name'
        : path.includes('\\')
          ? 'has a backslash in its name'
          : path.startsWith('/') || /^[a-z]:/i.test(path)
            ? 'has an absolute path'
            : parts.includes('..') || parts.includes('.') || parts.includes('')
              ? 'has a path that leads elsewhere'
              : null;
  if (why) throw refused('archive_path', `“${printable(path)}” ${why}`);
  return path;
}

/** Does it say that its name is UTF-8, or tell it so a second time? */
function saysEncoding({ generalPurposeBitFlag, extraFields }: Entry): boolean {
  return (generalPurposeBitFlag & UTF8_NAMES) !== 0 || extraFields.some(({ id }) => id === UNICODE_PATH);
}

/** General purpose bit 11 (APPNOTE 4.4.4), and Info-ZIP's second name (4.6.9). */
const UTF8_NAMES = 0x800;
const UNICODE_PATH = 0x7075;
const PLAIN = 0x8000;

/** The kind of file as Unix tells it; 0 from other systems. */
function kindOf(entry: Entry): number {
  return (entry.externalFileAttributes >>> 16) & 0xf000;
}

function refuseSpecial(entry: Entry, path: string): void {
  const kind = kindOf(entry);
  if (kind !== 0 && kind !== PLAIN)
    throw refused('archive_link', `${printable(path)} is a link or a device, not a file`);
  if (entry.isEncrypted()) throw refused('archive_encrypted', `${printable(path)} is encrypted`);
  if (!entry.canDecodeFileData())
    throw refused('archive_method', `${printable(path)} uses a compression that Trackside can't read`);
}

function refuseBomb(entry: Entry, path: string, kind: Wanted['kind']): void {
  const limit = kind === 'picture' ? LARGEST_PICTURE : LONGEST_CAPTION;
  if (entry.uncompressedSize > limit)
    throw refused('archive_bomb', `${printable(path)} would unpack to ${inMegabytes(entry.uncompressedSize)}`);
  if (isBomb(entry.uncompressedSize, entry.compressedSize))
    throw refused('archive_bomb', `${printable(path)} is compressed more than ${MOST_TIMES_SMALLER}-fold`);
}

function whyEmpty(passedOver: readonly string[]): string {
  if (passedOver.length === 0) return 'it holds no pictures and no captions';
  const more = passedOver.length > 3 ? ` and ${passedOver.length - 3} more` : '';
  const shown = passedOver.slice(0, 3).map(printable).join(', ');
  return `it holds no pictures that trainers read and no captions, only ${shown}${more}`;
}

function isBomb(bytes: number, packed: number): boolean {
  return bytes > HARMLESS_BYTES && bytes > packed * MOST_TIMES_SMALLER;
}

async function stretchOf(zip: ZipFile, entry: Entry, name: string) {
  const from = entry.relativeOffsetOfLocalHeader;
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  return { from, to: fileDataStart + entry.compressedSize, name };
}

/** Refuses files that share their bytes: the trick of the largest bombs. */
function refuseOverlaps(stretches: { from: number; to: number; name: string }[]): void {
  stretches.sort((a, b) => a.from - b.from);
  for (const [index, { from, name }] of stretches.entries())
    if (from < (stretches[index - 1]?.to ?? 0))
      throw refused('archive_overlap', `${printable(name)} overlaps with another file`);
}

function refuseSecondNames(wanted: readonly Wanted[], folders: ReadonlySet<string>): void {
  if (folders.size > 1) {
    const names = [...folders].slice(0, 3).map((folder) => (folder === '' ? 'the top' : printable(folder)));
    const more = folders.size > 3 ? ` and ${folders.size - 3} more` : '';
    throw refused(
      'archive_folders',
      `its pictures are in ${folders.size} folders (${names.join(', ')}${more}), but a dataset is one folder`,
    );
  }
  const seen = new Map<string, string>();
  for (const { name } of wanted) {
    // The same file on a Mac or on Windows, and two that look alike elsewhere.
    const same = name.normalize('NFC').toLowerCase();
    const before = seen.get(same);
    if (before !== undefined)
      throw refused('archive_names', `it contains both ${printable(before)} and ${printable(name)}`);
    seen.set(same, name);
  }
}

/** Is it a file that operating systems leave in folders? */
function isRubbish(folder: string, name: string): boolean {
  return /(^|\/)(__MACOSX|\.[^/]*)\//.test(folder) || name.startsWith('.') || /^(Thumbs\.db|desktop\.ini)$/i.test(name);
}

function inMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000).toLocaleString('en')} MB`;
}
