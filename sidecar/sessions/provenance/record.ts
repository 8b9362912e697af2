import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import type { DatasetDetail } from '../../datasets/facts.js';
import { fingerprintDataset } from '../../datasets/fingerprint.js';
import { inTurn } from '../../files/queue.js';
import type { FileHashes } from '../../models/fileHash.js';
import { hubCache } from '../../models/folders.js';
import { tokenizerFolder } from '../../models/tokenizers.js';
import type { ArgumentValue } from '../../trainers/arguments.js';
import { CLIP, clipTokens } from '../../trainers/captionTokens.js';
import { installedPackages } from '../../trainers/installed.js';
import type { Trainer } from '../../trainers/trainer.js';
import { uncommittedDiff } from '../../trainers/uncommitted.js';
import { type Comparable, differences } from './differences.js';
import { pictureStatistics, spread, textStatistics } from './pictures.js';
import { type ModelRecord, PROVENANCE_FILE, type Provenance, readProvenance, writeProvenance } from './provenance.js';

/** What an attempt runs, on what, and where. */
export type Ingredients = {
  /** Trackside's version. */
  trackside: string;
  command: { argv: string[]; cwd: string };
  /** What the trainer gets beyond its surroundings. */
  variables: Record<string, string>;
  seed: number | null;
  trainer: Pick<Trainer, 'id' | 'checkout' | 'models'> & { script: { path: string | null; commit?: string | null } };
  /** The interpreter that runs it. */
  python: string;
  environment: Record<string, string | null>;
  /** Null for a script of the user, which says nothing of its data. */
  detail: DatasetDetail | null;
  repeats: number | null;
  /** From the settings, then the person's own. */
  flags: Record<string, ArgumentValue>;
};

/** What is known at once, without reading a picture or a model again. */
export async function comparableOf(of: Ingredients): Promise<Omit<Provenance, 'attempt' | 'recorded_at' | 'resumed'>> {
  const { detail, trainer, command } = of;
  return {
    schema_version: 1,
    trackside: of.trackside,
    completed_at: null,
    command: { ...command, environment: of.variables },
    seed: of.seed,
    trainer: {
      id: trainer.id,
      script: trainer.script.path,
      folder: trainer.checkout ?? null,
      commit: trainer.script.commit ?? null,
      uncommitted: null,
      sha256: null,
    },
    environment: of.environment,
    packages: null,
    dataset: detail && {
      name: detail.name,
      path: detail.path,
      fingerprint: fingerprintDataset(detail),
      repeats: of.repeats,
      files: detail.files.map(({ file, bytes, width, height, caption }) => ({
        file,
        bytes,
        width,
        height,
        sha256: null,
        caption,
      })),
      pictures: pictureStatistics(detail.files),
      text: textStatistics(detail.files),
    },
    models: await modelsOf(of),
  };
}

async function modelsOf({ trainer, flags, command }: Ingredients): Promise<ModelRecord[]> {
  const given = (trainer.models ?? []).flatMap(({ flag }) => {
    const value = flags[flag];
    return typeof value === 'string' && value.trim() ? [{ flag, path: resolve(command.cwd, value.trim()) }] : [];
  });
  return Promise.all(
    given.map(async ({ flag, path }) => {
      const stats = await stat(path).catch(ifUnreadable(null, 'sessions'));
      const [bytes, modified_at] = stats ? [stats.size, stats.mtime.toISOString()] : [null, null];
      return { flag, path, bytes, modified_at, sha256: null };
    }),
  );
}

/**
 * Records what an attempt is made from, before it starts. A resume keeps the record of the start, and adds what differs
 * from it.
 */
export async function recordProvenance(
  folder: string,
  attempt: Provenance['attempt'],
  ingredients: Ingredients,
): Promise<void> {
  const now = await comparableOf(ingredients);
  const recorded_at = new Date().toISOString();
  await inTurn(`provenance ${folder}`, async () => {
    const before = attempt.kind === 'resume' ? await readProvenance(folder) : null;
    if (!before) return writeProvenance(folder, { ...now, attempt, recorded_at, resumed: [] });
    const own = { was: folder, now: folder };
    // What takes long is the same as it was, as far as one knows by now.
    const { uncommitted, sha256 } = before.trainer;
    const known: Comparable = { ...now, trainer: { ...now.trainer, uncommitted, sha256 } };
    const resumed = { attempt: attempt.number, at: recorded_at, differs: differences(before, known, own) };
    await writeProvenance(folder, { ...before, resumed: [...before.resumed, resumed] });
  });
}

/** What takes long: packages, the script, uncommitted changes, and the hashes of pictures and models. */
export async function slowFacts(
  of: Pick<Provenance, 'trainer' | 'dataset' | 'models'>,
  python: string,
  hashes: Pick<FileHashes, 'read'>,
): Promise<Pick<Provenance, 'trainer' | 'dataset' | 'models' | 'packages'>> {
  const { trainer, dataset, models } = of;
  const packages = await installedPackages(python);
  const uncommitted = trainer.folder === null ? null : await uncommittedDiff(trainer.folder);
  const script = trainer.script === null ? new Map() : await hashes.read([trainer.script]);
  const pathOf = (file: string) => join(dataset?.path ?? '', basename(file));
  const pictures = await hashes.read((dataset?.files ?? []).map(({ file }) => pathOf(file)));
  const files = dataset?.files.map((each) => ({ ...each, sha256: pictures.get(pathOf(each.file)) ?? null }));
  const weights = await hashes.read(models.map(({ path }) => path));
  return {
    packages,
    trainer: { ...trainer, uncommitted, sha256: script.get(trainer.script ?? '') ?? null },
    dataset: dataset && files ? { ...dataset, files } : null,
    models: models.map((each) => ({ ...each, sha256: weights.get(each.path) ?? null })),
  };
}

/** Fills in what takes long, beside the training. Leaves a record that was replaced meanwhile to its own attempt. */
export async function completeProvenance(
  folder: string,
  python: string,
  { hashes, models }: { hashes: Pick<FileHashes, 'read'>; models: string },
): Promise<void> {
  const record = await readProvenance(folder);
  if (!record || record.completed_at !== null) return;
  const slow = await slowFacts(record, python, hashes);
  const places = { own: tokenizerFolder(models), hub: hubCache() };
  const tokens = slow.dataset && (await clipTokens(python, join(folder, PROVENANCE_FILE), places));
  if (slow.dataset && tokens) {
    const text = { ...slow.dataset.text, tokens: spread(tokens), tokenizer: CLIP };
    slow.dataset = { ...slow.dataset, text };
  }
  await inTurn(`provenance ${folder}`, async () => {
    const present = await readProvenance(folder);
    if (present?.attempt.id !== record.attempt.id || present.completed_at !== null) return;
    await writeProvenance(folder, { ...present, ...slow, completed_at: new Date().toISOString() });
  });
}
