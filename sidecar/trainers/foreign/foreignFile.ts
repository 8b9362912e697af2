import { parse as parseToml } from 'smol-toml';
import { isObject, scanJson } from '../../files/exactJson.js';
import { metadataOf } from '../../files/safetensors.js';
import { readAiToolkit } from './aiToolkit.js';
import { readConfigFile, readDatasetConfig, readKohyaPage } from './kohyaConfig.js';
import { readLoraMetadata } from './loraMetadata.js';
import { type ForeignFile, ForeignFileError } from './said.js';
import { readTrainScript } from './trainSh.js';

/** Bytes of a text file that are read; the largest real ones have some ten thousand. */
export const LARGEST_TEXT = 200_000;
/** Bytes of a weights file that are read: the length of its header, and the header. */
export const LARGEST_HEADER = 16_000_000;
/** A file of settings has four levels. */
const DEEPEST = 32;
/** Each may hold others, so that a few name a thousand times the text. */
const MOST_ALIASES = 8;

/** How many bytes of a file are needed, from its name. */
export function bytesNeeded(name: string): number {
  return isWeights(name) ? LARGEST_HEADER : LARGEST_TEXT;
}

export function isWeights(name: string): boolean {
  return /\.safetensors$/i.test(name);
}

/**
 * Reads a file of another tool, by its name's ending and by what is in it. Nothing of it is run, opened or looked up. Throws a
 * ForeignFileError for what is none of these.
 *
 * @param bytes the file; of weights, at least its header
 */
export async function readForeignFile(name: string, bytes: Buffer): Promise<ForeignFile> {
  if (isWeights(name)) return fromWeights(bytes);
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (/\.(?:sh|bat|cmd|txt)$/i.test(name)) return readTrainScript(text);
  if (/\.toml$/i.test(name)) return fromSections(parsed('TOML', () => parseToml(text)));
  if (/\.ya?ml$/i.test(name)) {
    // A library that few ever need.
    const { load } = await import('js-yaml');
    return fromSections(parsed('YAML', () => load(text, { maxDepth: DEEPEST, maxAliases: MOST_ALIASES })));
  }
  if (/\.json$/i.test(name)) return fromJson(text);
  throw new ForeignFileError('Choose a .safetensors, .json, .toml, .yaml or .sh file.');
}

/** The same for a text without a name: JSON, or TOML. */
export function readForeignText(text: string): ForeignFile {
  return /^\s*[{[]\s*["}\]]/.test(text) ? fromJson(text) : fromSections(parsed('TOML', () => parseToml(text)));
}

function fromWeights(bytes: Buffer): ForeignFile {
  const metadata = metadataOf(bytes);
  if (typeof metadata === 'string') throw new ForeignFileError(`The file ${metadata}.`);
  return readLoraMetadata(metadata);
}

function fromJson(text: string): ForeignFile {
  if (scanJson(text).depth > DEEPEST) throw new ForeignFileError('It is nested too deeply.');
  return fromSections(parsed('JSON', () => JSON.parse(text)));
}

function parsed(kind: string, parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    throw new ForeignFileError(`It is not valid ${kind}: ${(error as Error).message.split('\n')[0]}.`);
  }
}

function fromSections(sections: unknown): ForeignFile {
  if (!isObject(sections) || Object.keys(sections).length === 0)
    throw new ForeignFileError('It has no settings in it.');
  if (isObject(sections.config) && 'process' in sections.config) return readAiToolkit(sections);
  if (Array.isArray(sections.datasets)) return readDatasetConfig(sections);
  if ('LoRA_type' in sections || 'train_data_dir' in sections) return readKohyaPage(sections);
  return readConfigFile(sections);
}
