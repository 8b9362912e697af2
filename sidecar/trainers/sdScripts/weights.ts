import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { readSafetensors } from '../../files/safetensors.js';
import type { ArgumentValue } from '../arguments.js';
import { error, type Finding } from '../finding.js';

/** Flags that name files beside the models of a family, which the trainer opens once the models are loaded. */
const FILES = [
  'network_weights',
  'base_weights',
  'llm_adapter_path',
  't5_tokenizer_path',
  'controlnet_model_name_or_path',
];

/**
 * Checks that weights to begin from, and other files, are there, whole, and of the rank that is trained: the trainer finds
 * out minutes later. `rank` is the network's; relative paths are relative to `cwd`.
 */
export async function checkWeights(
  flags: Record<string, ArgumentValue>,
  rank: number,
  cwd: string,
): Promise<Finding[]> {
  const given = FILES.flatMap((flag) =>
    [flags[flag] ?? []].flat().map((path) => ({ flag, path: resolve(cwd, String(path)) })),
  );
  const found = await Promise.all(given.map(({ flag, path }) => checkFile(flag, path)));
  const start = typeof flags.network_weights === 'string' ? resolve(cwd, flags.network_weights) : null;
  const own = start !== null && flags.dim_from_weights !== true ? await otherRank(start, rank) : [];
  return [...found.flat(), ...own];
}

async function checkFile(flag: string, path: string): Promise<Finding[]> {
  const more = { field: `arguments.${flag}` };
  if (!existsSync(path)) return [error('missing_model', `--${flag}: ${path} was not found.`, more)];
  if (!path.endsWith('.safetensors')) return [];
  const header = await readSafetensors(path).catch(ifUnreadable('cannot be read', 'trainers'));
  return typeof header === 'string' ? [error('bad_model', `--${flag}: ${path} ${header}.`, more)] : [];
}

/** A network of another rank than the weights ends in a size mismatch. */
async function otherRank(path: string, rank: number): Promise<Finding[]> {
  const header = await readSafetensors(path).catch(ifUnreadable(null, 'trainers'));
  const theirs = typeof header === 'string' ? Number.NaN : Number(header?.metadata.ss_network_dim);
  if (!(theirs > 0) || theirs === rank) return [];
  const message = `--network_weights: ${path} has the rank ${theirs}, and the network ${rank}. Set the network dimension to ${theirs}, or switch --dim_from_weights on.`;
  return [error('wrong_model', message, { field: 'arguments.network_weights' })];
}
