import { lstat, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ifMissing, ifUnreadable } from '../../caught.js';
import { signatureOf } from '../../files/fileSignature.js';
import { Lru } from '../../files/lru.js';
import { memoByFile } from '../../files/memoByFile.js';
import { memoByObject } from '../../files/memoByObject.js';
import { readSafetensors, whatIsWrongInTorchFile } from '../../files/safetensors.js';
import { settledFiles } from '../../files/settledFiles.js';
import { realInside } from '../../security/paths.js';
import type { CheckpointOnDisk } from '../dialect.js';
import { isWeights, readCheckpointName, weightsBehind } from './fileNames.js';
import { stepsPerEpoch } from './stepCounts.js';

/** Metadata to show, by its name in the header, in the order of the page; all values are strings. */
const TOLD = [
  'ss_base_model_version',
  'ss_sd_model_name',
  'ss_network_module',
  'ss_network_dim',
  'ss_network_alpha',
  'ss_network_args',
  'ss_epoch',
  'ss_num_epochs',
  'ss_steps',
  'ss_max_train_steps',
  'ss_num_train_images',
  'ss_num_reg_images',
  'ss_num_batches_per_epoch',
  'ss_gradient_accumulation_steps',
  'ss_learning_rate',
  'ss_unet_lr',
  'ss_text_encoder_lr',
  'ss_optimizer',
  'ss_lr_scheduler',
  'ss_lr_warmup_steps',
  'ss_mixed_precision',
  'ss_seed',
  'ss_clip_skip',
  'ss_training_comment',
  'ss_training_started_at',
  'ss_training_finished_at',
  'ss_sd_scripts_commit_hash',
  'sshs_model_hash',
] as const;
/** A comment may be very long. */
const LONGEST_TOLD = 500;

/** The weights files directly inside `folder`, newest first: those of `outputName`, and what else lies there. Reads headers only, and each only once. */
export async function readCheckpoints(folder: string, outputName: string): Promise<CheckpointOnDisk[]> {
  const names = await readdir(folder).catch(ifMissing([]));
  const key = `${outputName}/${folder}`;
  const listed = listingOf(key, names.filter(isWeights), outputName);
  const arriving = new Set(names.filter((name) => name.endsWith(ARRIVING)));
  const found = await checkpointsIn(key, listed.names, async (name) => {
    const each = listed.named.get(name);
    return each ? readCheckpoint(folder, each, arriving.has(`${name}${ARRIVING}`)) : null;
  });
  return inOrder(found);
}

/** aria2 keeps such a file beside one that it has not downloaded whole, and that may have its full size already. */
const ARRIVING = '.aria2';

type Listing = { names: readonly string[]; named: ReadonlyMap<string, Named> };

const listings = new Lru<Listing>(20_000);

/** What the names of weights files say; the same object as long as the names are the same. */
function listingOf(key: string, names: readonly string[], outputName: string): Listing {
  const known = listings.get(key);
  if (known?.names.length === names.length && known.names.every((name, at) => name === names[at])) return known;
  const weights = names.flatMap((name) => ({ name, at: weightsBehind(name) }));
  const numbered = new Set(weights.flatMap(({ at }) => (at && at.kind !== 'final' ? at.outputName : [])));
  const named = new Map(
    weights.flatMap(({ name, at }) =>
      at ? [[name, { name, ...savedAt(name, at, outputName, numbered) }] as const] : [],
    ),
  );
  const listing = { names, named };
  listings.set(key, listing, names.length + 1);
  return listing;
}

const inOrder = memoByObject((found: CheckpointOnDisk[]): CheckpointOnDisk[] => {
  const times = found.map(({ savedAtMs }) => savedAtMs);
  const atOnce = found.length > 1 && found.length < 1000 && Math.max(...times) - Math.min(...times) < COPIED_MS;
  return atOnce ? found.toSorted((a, b) => rank(b) - rank(a) || b.name.localeCompare(a.name)) : found;
});

/** The times of files that were all written within this tell nothing: they were copied. */
const COPIED_MS = 500;

function rank({ kind, number }: CheckpointOnDisk): number {
  return kind === 'final' ? Number.POSITIVE_INFINITY : (number ?? -1);
}

/** `numbered`: the names of which there are numbered saves, so that the one without a number is their last. */
function savedAt(file: string, at: Behind, outputName: string, numbered: ReadonlySet<string>): Omit<Named, 'name'> {
  const own = readCheckpointName(file, outputName);
  if (own && (own.kind !== 'epoch' || own.number <= MOST_EPOCHS)) return own;
  if (at.kind !== 'final') return { kind: at.kind, number: at.number };
  return { kind: numbered.has(at.outputName) ? 'final' : 'other', number: null };
}

type Behind = NonNullable<ReturnType<typeof weightsBehind>>;
/** More are part of a name. */
const MOST_EPOCHS = 99_999;

const checkpointsIn = settledFiles<CheckpointOnDisk>(
  ({ whole }) => whole,
  (a, b) => b.savedAtMs - a.savedAtMs || b.name.localeCompare(a.name),
);

type Named = Pick<CheckpointOnDisk, 'name' | 'kind' | 'number'>;

async function readCheckpoint(folder: string, named: Named, arrives: boolean): Promise<CheckpointOnDisk | null> {
  const path = join(folder, named.name);
  const stats = await stat(path).catch(ifUnreadable(null, 'trainers'));
  if (!stats?.isFile()) return notAFile(path, named);
  const read = arrives
    ? `is still being downloaded, or was given up: ${named.name}${ARRIVING} is beside it`
    : await readMetadata(path, signatureOf(stats), dirname(folder)).catch(ifUnreadable('cannot be read', 'trainers'));
  const metadata = typeof read === 'string' ? null : read;
  return {
    ...named,
    bytes: stats.size,
    savedAtMs: stats.mtimeMs,
    whole: metadata !== null,
    wrong: typeof read === 'string' ? read : null,
    ...count(named, metadata ?? {}),
    baseModel: baseModelOf(metadata ?? {}),
    told: tell(metadata ?? {}),
  };
}

/** What has the name of weights and is none: named, not passed over. Null for what has just gone. */
async function notAFile(path: string, named: Named): Promise<CheckpointOnDisk | null> {
  const stats = await lstat(path).catch(ifUnreadable(null, 'trainers'));
  if (!stats) return null;
  const wrong = stats.isSymbolicLink()
    ? 'is a link that leads nowhere'
    : stats.isDirectory()
      ? 'is a folder and no weights'
      : 'is a pipe or a device and no weights';
  return { ...named, bytes: 0, savedAtMs: stats.mtimeMs, whole: false, wrong, ...count(named, {}), told: {} };
}

/** A string when the file is not whole: what is wrong with it. Null for a link that leads out of `root`. */
const readMetadata = memoByFile(async (path: string, root: string): Promise<Record<string, string> | string | null> => {
  // A link within the outputs counts as its file; a link out of them is not read.
  if (!(await realInside(root, path).catch(ifUnreadable(null, 'trainers')))) return null;
  if (!/\.safetensors$/i.test(path)) return (await whatIsWrongInTorchFile(path)) ?? {};
  const header = await readSafetensors(path);
  if (typeof header === 'string') return header;
  return header.tensors === 0 ? 'holds no weights' : header.metadata;
});

/** By its own words, or by those of the model specification (modelspec.architecture: `flux-1-dev/lora`). */
function baseModelOf(metadata: Record<string, string>): string | undefined {
  return metadata.ss_base_model_version ?? metadata['modelspec.architecture']?.replace(/\/lora$/, '');
}

/** Its own metadata (`ss_*`, sd-scripts.md section 8): epochs count from 1 in epoch saves, from 0 in step saves. */
function count({ kind, number }: Named, metadata: Record<string, string>) {
  const told = (name: string) => (/^\d{1,15}$/.test(metadata[name] ?? '') ? Number(metadata[name]) : null);
  const epochs = told('ss_num_epochs');
  const batches = told('ss_num_batches_per_epoch');
  return {
    epoch: kind === 'epoch' ? number : kind === 'final' ? epochs : told('ss_epoch'),
    steps: told('ss_steps'),
    epochs,
    stepsPerEpoch: batches === null ? null : stepsPerEpoch(batches, told('ss_gradient_accumulation_steps')),
  };
}

function tell(metadata: Record<string, string>): Record<string, string> {
  const there = TOLD.flatMap((name) => {
    const value = metadata[name];
    return value === undefined || value === '' || value === 'None' ? [] : [[name, value.slice(0, LONGEST_TOLD)]];
  });
  return Object.fromEntries(there);
}
