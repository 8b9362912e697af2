import type { DatasetDetail, DatasetImage } from '../../datasets/facts.js';
import type { Provenance } from './provenance.js';

type Dataset = NonNullable<Provenance['dataset']>;

/** Sizes and tags that are told. */
const MOST = 100;

export function pictureStatistics(files: readonly DatasetImage[]): Dataset['pictures'] {
  const measured = files.flatMap(({ width, height }) => (width && height ? [{ width, height }] : []));
  return {
    count: files.length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    sizes: counted(measured.map(({ width, height }) => `${width}x${height}`)),
    width: spread(measured.map(({ width }) => width)),
    height: spread(measured.map(({ height }) => height)),
  };
}

export function textStatistics(files: DatasetDetail['files']): Dataset['text'] {
  const captions = files.flatMap(({ caption }) => (caption === null ? [] : [caption]));
  return {
    captions: captions.length,
    without: files.length - captions.length,
    characters: spread(captions.map((caption) => Array.from(caption).length)),
    tokens: spread(captions.map(tokensIn)),
    tags: counted(
      captions.flatMap((caption) => [...new Set(caption.split(',').map((tag) => tag.trim()))].filter(Boolean)),
    ),
  };
}

/** CLIP's pattern before its byte pairs (openai/CLIP simple_tokenizer.py:78). */
function tokensIn(caption: string): number {
  return caption.toLowerCase().match(/'(?:s|t|re|ve|m|ll|d)|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/gu)?.length ?? 0;
}

/** Pure; rounded to two places. The percentile is the smallest value that so many are at or below. */
export function spread(values: readonly number[]): Dataset['pictures']['width'] {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  const middle = sorted.length % 2 === 1 ? at(0.5) : (at(0.5) + (sorted[sorted.length / 2] ?? 0)) / 2;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return { mean: Math.round(mean * 100) / 100, median: middle, p95: at(0.95), max: sorted.at(-1) ?? 0 };
}

function counted(words: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const order = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return Object.fromEntries(order.slice(0, MOST));
}
