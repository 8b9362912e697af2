import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { ifUnreadable } from '../caught.js';
import { answers } from '../files/answers.js';
import { signatureOf } from '../files/fileSignature.js';
import { memoByFile } from '../files/memoByFile.js';
import { readSafetensorsHeader } from '../files/safetensors.js';
import { readDiffusersFolder } from './diffusersFolder.js';
import { type ModelFolder, type ModelPlaces, modelFolders } from './folders.js';
import { recognise } from './recognise.js';
import { type ModelFile, modelRoles } from './roles.js';

/** Headers read at the same time. */
const AT_ONCE = 16;

/**
 * Finds every model in the models folder and in the usual places, sorted by role and name, without LoRAs. Reads only the
 * header of a file, once until it changes. Follows links to files, never to folders.
 */
export async function findModels(places: ModelPlaces, folders = modelFolders(places)): Promise<ModelFile[]> {
  const found: Candidate[] = [];
  for (const folder of folders) if (await answers(folder.path)) await walk(folder, folder.path, folder.depth, found);
  const models: (ModelFile | null)[] = [];
  const seen = new Set<string>();
  for (let at = 0; at < found.length; at += AT_ONCE) {
    models.push(...(await Promise.all(found.slice(at, at + AT_ONCE).map((each) => look(each, seen)))));
  }
  return models.filter((model) => model !== null).sort(byRole);
}

/** Reads one model by its path, a file or a diffusers folder. Null if there is none. */
export async function readModelAt(path: string): Promise<ModelFile | null> {
  const isFolder = (await stat(path).catch(ifUnreadable(null, 'models')))?.isDirectory() ?? false;
  const siblings = new Set(await readdir(isFolder ? path : dirname(path)).catch(ifUnreadable([], 'models')));
  return look({ path, name: basename(path), kind: isFolder ? 'folder' : 'file', siblings }, new Set());
}

type Candidate = { path: string; name: string; kind: 'file' | 'folder'; siblings: Set<string> };

/** Endings of unfinished downloads. */
const UNFINISHED = /\.(incomplete|part|crdownload|download|tmp)$/i;
const OTHERS: Record<string, string> = {
  '.gguf': 'is a GGUF file, and sd-scripts can’t train on it: use the .safetensors',
  '.ckpt': 'is in the old .ckpt format, which can run code when it is loaded: use the .safetensors',
};

async function walk(root: ModelFolder, folder: string, depth: number, found: Candidate[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(ifUnreadable([], 'models'));
  const siblings = new Set(entries.map(({ name }) => name));
  const add = (path: string, kind: Candidate['kind']) =>
    found.push({ path, name: relative(root.path, path) || basename(path), kind, siblings });
  // A model in the layout of diffusers.
  if (siblings.has('model_index.json')) {
    add(folder, 'folder');
    return;
  }
  for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name))) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (depth > 1) await walk(root, path, depth - 1, found);
    } else if (isModelName(entry.name)) add(path, 'file');
  }
}

function isModelName(name: string): boolean {
  const extension = extname(name.replace(UNFINISHED, '')).toLowerCase();
  return ['.safetensors', '.sft'].includes(extension) || (extension in OTHERS && !UNFINISHED.test(name));
}

/** Null for files that are not models, and for those found in an earlier folder. */
async function look({ path, name, kind, siblings }: Candidate, seen: Set<string>): Promise<ModelFile | null> {
  const stats = await stat(path).catch(ifUnreadable(null, 'models'));
  if (!stats || (kind === 'file') !== stats.isFile()) return null;
  const identity = `${stats.dev}:${stats.ino}`;
  if (seen.has(identity)) return null;
  seen.add(identity);
  if (kind === 'folder') return readDiffusersFolder(path, name);
  const read = await readModel(path, signatureOf(stats)).catch((error: NodeJS.ErrnoException) => unreadable(error));
  if (!read) return null;
  const downloading = siblings.has(`${basename(path)}.aria2`) ? 'is still being downloaded by aria2' : null;
  const reason = downloading ?? read.reason;
  return { ...read, path, name, bytes: stats.size, usable: !reason && read.role !== null, reason };
}

type Read = Pick<ModelFile, 'role' | 'detail' | 'reason'>;

const readModel = memoByFile(async (path: string): Promise<Read | null> => {
  const other = OTHERS[extname(path).toLowerCase()];
  if (other) return { role: null, detail: null, reason: other };
  const unfinished = UNFINISHED.test(path) ? 'is an unfinished download' : null;
  const header = await readSafetensorsHeader(path);
  if (typeof header === 'string') return { role: null, detail: null, reason: unfinished ?? header };
  const { role, detail, reason, lora } = recognise(header, basename(path));
  if (lora) return null;
  return { role, detail, reason: unfinished ?? wholeness(header) ?? reason ?? unloadable(path, role) };
});

function wholeness({ bytes, expectedBytes }: { bytes: number; expectedBytes: number }): string | null {
  if (bytes < expectedBytes) return `is incomplete: only ${Math.floor((100 * bytes) / expectedBytes)} % of it is here`;
  return bytes > expectedBytes ? 'is longer than its header says' : null;
}

/** model_util.py `is_safetensors` goes by the extension, which excludes .sft; one part of several is not a model. */
function unloadable(path: string, role: ModelFile['role']): string | null {
  if (/-\d{5}-of-\d{5}\.(safetensors|sft)$/.test(path)) return 'is one part of a model in several files';
  const byExtension = ['sd1', 'sd2', 'sdxl', 'sd-vae', 'sdxl-vae', 'qwen3'];
  return path.endsWith('.sft') && role && byExtension.includes(role)
    ? 'must be renamed to .safetensors: sd-scripts takes it for a .ckpt'
    : null;
}

function unreadable({ code }: NodeJS.ErrnoException): Read {
  return { role: null, detail: null, reason: `can't be read (${code ?? 'unknown error'})` };
}

function byRole(a: ModelFile, b: ModelFile): number {
  const place = ({ role }: ModelFile) => (role ? modelRoles.indexOf(role) : modelRoles.length);
  return place(a) - place(b) || a.name.localeCompare(b.name);
}
