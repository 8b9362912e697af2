import { dirname } from 'node:path';
import type { Alike } from '../datasets/alike.js';
import { countTags } from '../datasets/bulkCaptions.js';
import type { DatasetDetail, DatasetFacts, DatasetImage } from '../datasets/facts.js';
import { named, passedOverWords } from '../datasets/passedOver.js';
import type { TrashEntry } from '../datasets/trash.js';
import type { Taken, UploadFacts } from '../datasets/uploads/facts.js';
import type { BucketRules } from '../trainers/buckets.js';
import { bytes, joined, plural } from './formatting.js';
import type { PageModel } from './frame.js';
import { rulesFor, trainingView } from './training.js';

export type DatasetsModel = PageModel & {
  datasets: DatasetFacts[];
  /** Datasets that were put away, newest first. */
  removed?: (TrashEntry & { dataset: string })[];
  /** The one of them that a person has just put away. */
  justRemoved?: string | null;
  /** Folders that can't be datasets, each with the reason in words. */
  skipped?: string[];
  values: Record<string, string>;
  errors: Record<string, string>;
};

export type DatasetModel = PageModel & {
  dataset: DatasetDetail;
  /** What the last upload did, in words, and what it refused. */
  notice?: string | null;
  refused?: Omit<Taken['refused'][number], 'code'>[];
  /** Uploads that have not arrived whole, and what was put away, newest first. */
  unfinished?: UploadFacts[];
  trash?: TrashEntry[];
  /** Pixels of the training for which the pictures are judged. */
  resolution?: number;
  alike?: Alike[];
  /** What a change of all captions did, or its undoing; `entry` undoes it. */
  bulk?: { entry: string | null } & ({ changed: number } | { undone: number });
};

/** The form that takes pictures, captions and archives. */
export type UploadView = {
  /** What the page does once they have arrived: stay, show the dataset, or choose it for the new training. */
  afterwards: 'stay' | 'dataset' | 'new';
  /** The dataset; null asks for its name. */
  into: string | null;
  name: string;
  error: string | null;
};

export type DatasetsView = ReturnType<typeof datasetsView>;

export function datasetsView(model: DatasetsModel) {
  const removed = (model.removed ?? []).map((each) => ({
    dataset: each.dataset,
    size: bytes(each.bytes),
    at: each.put_away_at,
    address: `${datasetAddress(model.root, each.dataset)}/trash/${each.entry}`,
  }));
  return {
    datasets: model.datasets.map((dataset) => datasetCard(dataset, model.root)),
    skipped: model.skipped ?? [],
    removed,
    justRemoved: removed.find(({ dataset }) => dataset === model.justRemoved) ?? null,
    upload: uploadView('dataset', null, model.values.name, model.errors.name),
  };
}

export type DatasetView = ReturnType<typeof datasetView>;

export function datasetView(model: DatasetModel) {
  const at = datasetAddress(model.root, model.dataset.name);
  return {
    name: model.dataset.name,
    /** Absolute. */
    path: model.dataset.path,
    at,
    train: `${model.root}new?dataset=${encodeURIComponent(model.dataset.name)}`,
    summary: summary(model.dataset),
    pictures: imagesView({ ...model, rules: rulesFor(model.resolution ?? 512) }, true),
    resolutions: [512, 768, 1024].map((pixels) => ({ pixels, chosen: pixels === (model.resolution ?? 512) })),
    tags: countTags(model.dataset)
      .filter(({ tag }) => tag.length <= LONGEST_TAG)
      .slice(0, TAGS_IN_SIGHT),
    bulk: model.bulk
      ? {
          words: bulkWords(model.bulk),
          undo: model.bulk.entry && `${at}/trash/${encodeURIComponent(model.bulk.entry)}`,
        }
      : null,
    notice: model.notice ?? null,
    refused: (model.refused ?? []).map(({ file, reason, after_name: words }) => ({
      file,
      reason: words === undefined ? `: ${reason}` : ` ${words}`,
    })),
    unfinished: (model.unfinished ?? []).map((each) => ({
      file: each.file,
      arrived: bytes(each.arrived),
      bytes: bytes(each.bytes),
    })),
    trash: (model.trash ?? []).map((each) => ({
      what: named(each.files),
      size: bytes(each.bytes),
      at: each.put_away_at,
      address: `${at}/trash/${each.entry}`,
    })),
    /** Absolute, for a shell. */
    trashPath: `${dirname(model.dataset.path)}/.trash/${model.dataset.name}`,
    notTrained: notTrainedWords(model.dataset),
    turned: turnedWords(model.dataset),
    upload: uploadView('stay', model.dataset.name),
  };
}

/** What turning pictures upright did. */
export function uprightWords(turned: number, left: number): string {
  const done = `${plural(turned, 'picture was', 'pictures were')} turned upright. The originals are in the trash below.`;
  return left > 0 ? `${done} ${plural(left, 'picture')} could not be turned.` : done;
}

function bulkWords(done: NonNullable<DatasetModel['bulk']>): string {
  if ('changed' in done)
    return done.changed === 0 ? 'No caption had to be changed.' : `${plural(done.changed, 'caption')} changed.`;
  return `Undone: ${plural(done.undone, 'caption is as it was', 'captions are as they were')}.`;
}

export function uploadView(
  afterwards: UploadView['afterwards'],
  into: string | null,
  name = '',
  error?: string,
): UploadView {
  return { afterwards, into, name, error: error ?? null };
}

/** Of pictures that sd-scripts would train lying on their side; null where there is none. */
function turnedWords({ files }: DatasetDetail): string | null {
  const turned = files.filter((each) => each.turned).map(({ file }) => file);
  if (turned.length === 0) return null;
  const are = turned.length === 1 ? 'is' : 'are';
  return `${named(turned)} ${are} rotated or mirrored only in the metadata, which sd-scripts ignores: it would train on the pixels as they lie.`;
}

/** Sentences on files and folders that a training passes over. */
export function notTrainedWords(dataset: DatasetDetail): string[] {
  const captions = dataset.orphan_captions;
  const words = `${plural(captions.length, 'caption has no picture with the same name and is', 'captions have no picture with the same name and are')} ignored: ${named(captions)}`;
  return [...passedOverWords(dataset), ...(captions.length > 0 ? [words] : [])];
}

/** The most frequent ones. */
const TAGS_IN_SIGHT = 60;
/** What is longer is a sentence, and stands in its own caption. */
const LONGEST_TAG = 60;

export type ImagesView = ReturnType<typeof imagesView>;

/**
 * The pictures of a dataset with their captions, each editable in place, and what becomes of them in a training by `rules`;
 * `removable`: each with a button to remove it.
 */
export function imagesView(
  { root, dataset, rules, alike = [] }: Pick<DatasetModel, 'root' | 'dataset' | 'alike'> & { rules: BucketRules },
  removable = false,
) {
  const at = datasetAddress(root, dataset.name);
  const images = dataset.files.map((image) => ({
    ...imageView(image, at),
    training: trainingView(image, rules),
    alike: alikeWords(image.file, alike),
  }));
  return {
    name: dataset.name,
    address: at,
    summary: summary(dataset),
    images,
    removable,
  };
}

function alikeWords(file: string, alike: readonly Alike[]): string | null {
  const group = alike.find(({ files }) => files.includes(file));
  if (!group) return null;
  const others = named(group.files.filter((other) => other !== file));
  return group.same ? `the same file as ${others}` : `looks like ${others}`;
}

/** A dataset to choose. */
export type PickView = ReturnType<typeof datasetCard> & { chosen: boolean };

export function datasetCard(dataset: DatasetFacts, root: string) {
  const href = datasetAddress(root, dataset.name);
  return {
    ...dataset,
    href,
    train: `${root}new?dataset=${encodeURIComponent(dataset.name)}`,
    thumbnail: dataset.cover && `${href}/images/${encodeURIComponent(dataset.cover)}?size=thumb`,
    summary: summary(dataset),
  };
}

export function datasetAddress(root: string, name: string): string {
  return `${root}datasets/${encodeURIComponent(name)}`;
}

/** "10 pictures, 8 captioned" */
function summary({ images, captions }: Pick<DatasetFacts, 'images' | 'captions'>): string {
  const captioned = captions === 0 ? 'no captions' : captions === images ? 'all captioned' : `${captions} captioned`;
  return `${plural(images, 'picture')}, ${captioned}`;
}

function imageView(image: DatasetImage, at: string) {
  const size = image.width && image.height ? `${image.width} × ${image.height}` : '';
  const address = `${at}/images/${encodeURIComponent(image.file)}`;
  const revision = encodeURIComponent(image.revision);
  const href = `${address}?revision=${revision}`;
  return {
    id: `image-${encodeURIComponent(image.file)}`,
    file: image.file,
    address,
    /** The picture itself, and what its caption is saved to. */
    href,
    thumbnail: image.unchecked ? href : `${address}?size=thumb&revision=${revision}`,
    captionAddress: `${at}/captions/${encodeURIComponent(image.stem)}`,
    caption: image.caption ?? '',
    about: joined(size, image.unchecked === true && 'BMP, not checked', bytes(image.bytes)),
    /** Turned or mirrored by its metadata only. */
    turned: image.turned ?? false,
    problem: image.problem,
    captionProblem: image.caption_problem ?? null,
  };
}
