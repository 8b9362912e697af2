import type { DatasetDetail, DatasetFacts, DatasetImage } from '../datasets/facts.js';
import { bytes, plural } from './formatting.js';
import type { DatasetImagesModel, DatasetModel, DatasetsModel } from './models.js';

export type ImageView = {
  id: string;
  file: string;
  /** The picture itself, and what its caption is saved to. */
  href: string;
  thumbnail: string;
  captionAddress: string;
  caption: string;
  about: string;
  problem: string | null;
  captionProblem: string | null;
};

export type ImagesView = { name: string; address: string; images: ImageView[] };

export function datasetsView(model: DatasetsModel): {
  datasets: DatasetCard[];
  values: Record<string, string>;
  errors: Record<string, string>;
} {
  return {
    datasets: model.datasets.map((dataset) => datasetCard(dataset, model.root)),
    values: model.values,
    errors: model.errors,
  };
}

export function datasetView(model: DatasetModel): {
  dataset: DatasetDetail;
  at: string;
  train: string;
  summary: string;
  pictures: ImagesView;
  notice: string | null;
  refused: { file: string; reason: string }[];
} {
  return {
    dataset: model.dataset,
    at: datasetAddress(model.root, model.dataset.name),
    train: `${model.root}new?dataset=${encodeURIComponent(model.dataset.name)}`,
    summary: summary(model.dataset),
    pictures: imagesView(model),
    notice: model.notice ?? null,
    refused: (model.refused ?? []).map(({ file, reason }) => ({ file, reason: withoutName(reason, file) })),
  };
}

/** Beside its name a message does not name the file again. */
function withoutName(reason: string, file: string): string {
  return reason.startsWith(file) ? reason.slice(file.length) : `: ${reason}`;
}

/** The pictures of a dataset with their captions, each editable in place. */
export function imagesView({ root, dataset }: DatasetImagesModel): ImagesView {
  const at = datasetAddress(root, dataset.name);
  return { name: dataset.name, address: at, images: dataset.files.map((image) => imageView(image, at)) };
}

export type DatasetCard = DatasetFacts & { href: string; train: string; thumbnail: string | null; summary: string };

export function datasetCard(dataset: DatasetFacts, root: string): DatasetCard {
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

/** "10 pictures, 8 with a caption" */
function summary({ images, captions }: Pick<DatasetFacts, 'images' | 'captions'>): string {
  return `${plural(images, 'picture')}, ${captions === images ? (images ? 'all with a caption' : 'no captions') : `${captions} with a caption`}`;
}

function imageView(image: DatasetImage, at: string): ImageView {
  const size = image.width && image.height ? `${image.width} × ${image.height}` : '';
  const address = `${at}/images/${encodeURIComponent(image.file)}`;
  const revision = encodeURIComponent(image.revision);
  return {
    id: `image-${encodeURIComponent(image.file)}`,
    file: image.file,
    href: `${address}?revision=${revision}`,
    thumbnail: `${address}?size=thumb&revision=${revision}`,
    captionAddress: `${at}/captions/${encodeURIComponent(image.stem)}`,
    caption: image.caption ?? '',
    about: [size, bytes(image.bytes)].filter(Boolean).join(' · '),
    problem: image.problem,
    captionProblem: image.caption_problem ?? null,
  };
}
