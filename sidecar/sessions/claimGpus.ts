import type { Gpu, Gpus } from '../launchers/launcher.js';
import { local } from '../launchers/local.js';
import { Problem } from '../problem.js';
import type { Trainer } from '../trainers/trainer.js';
import type { SessionFacts } from './facts.js';
import type { UnderWay } from './underWay.js';

/** The GPUs of one session, until its attempt has ended or failed to start. */
export type Claim = {
  /** nvidia-smi's indices, in its order; may be empty. */
  gpus: number[];
  /** To be called once the attempt is recorded, with its GPUs. */
  release(): void;
};

/**
 * Reserves the GPUs that a session asks for (`"0"`, `"0,1"`, `"all"`; empty: the first free one). A GPU belongs to one
 * session at a time: throws a Problem with a link to its holder, or for a GPU that does not exist. The claim is empty
 * on a machine without GPUs: some trainers need none.
 */
export async function claimGpus(
  { outputs, underWay }: { outputs: { list(): Promise<SessionFacts[]> }; underWay: UnderWay },
  name: string,
  asked: string,
): Promise<Claim> {
  const reserved = underWay.gpus;
  const found = await local.offers();
  const holders = gpuHolders(await outputs.list());
  // No await from here to the reservation: of two simultaneous requests, one is first.
  for (const [index, holder] of reserved) if (holder !== name) holders.set(index, holder);
  const gpus = pickGpus(asked, found, holders);
  for (const index of gpus) reserved.set(index, name);
  return {
    gpus,
    release() {
      for (const index of gpus) if (reserved.get(index) === name) reserved.delete(index);
    },
  };
}

/** Does this session train on a GPU? Not with the CPU preset. */
export function wantsGpu({ usesGpu, presets }: Trainer, vram: string | undefined): boolean {
  return usesGpu === true && presets?.find((preset) => preset.vram === vram)?.gib !== 0;
}

/** The holder of each GPU of this machine: another pod on the same volume has its own GPU 0. */
export function gpuHolders(sessions: readonly SessionFacts[]): Map<number, string> {
  const holders = new Map<number, string>();
  for (const { name, attempts } of sessions) {
    const latest = attempts.at(-1);
    if (latest?.alive && latest.host === null) for (const index of latest.gpus) holders.set(index, name);
  }
  return holders;
}

/** Pure: the indices, in order. Throws the Problems of `claimGpus`. */
export function pickGpus(asked: string, { gpus, missing }: Gpus, holders: ReadonlyMap<number, string>): number[] {
  const words = asked.trim().toLowerCase();
  if (gpus.length === 0 && (words === '' || words === 'all')) return [];
  const wanted = namedGpus(asked, gpus) ?? firstFree(gpus, holders);
  const absent = wanted.filter((index) => !gpus.some((gpu) => gpu.index === index));
  if (absent.length > 0) {
    const there = gpus.map(({ index, name }) => `${index} (${name})`).join(', ');
    const message = `This machine has no GPU ${absent.join(', ')}. ${missing ?? `It has ${there}.`} Choose another, or leave the field empty.`;
    throw new Problem('no_such_gpu', message, { field: 'gpus' });
  }
  const taken = wanted.find((index) => holders.has(index));
  if (taken !== undefined) throw busy(taken, holders.get(taken) ?? '');
  return wanted;
}

/** When all are taken, the first one: the refusal then names its holder. */
function firstFree(gpus: readonly Gpu[], holders: ReadonlyMap<number, string>): number[] {
  const free = gpus.find(({ index }) => !holders.has(index)) ?? gpus[0];
  return free ? [free.index] : [];
}

/** The GPUs in `asked` that must be these: null for any one that is free. Throws a Problem for what is no list of GPUs. */
export function namedGpus(asked: string, gpus: readonly Gpu[]): number[] | null {
  const words = asked.trim().toLowerCase();
  if (words === '') return null;
  return words === 'all' ? gpus.map(({ index }) => index) : readIndices(words);
}

function readIndices(words: string): number[] {
  const parts = words.split(',').map((part) => part.trim());
  const wrong = `“${words}” is not a list of GPUs. Enter 0, or 0,1 for both, or all; leave it empty for the first free one.`;
  if (!parts.every((part) => /^\d{1,4}$/.test(part))) throw new Problem('bad_gpus', wrong, { field: 'gpus' });
  return [...new Set(parts.map(Number))].sort((a, b) => a - b);
}

function busy(index: number, holder: string): Problem {
  return new Problem('gpu_busy', `GPU ${index} is in use by ${holder}.`, {
    kept: 'Your settings are kept.',
    todo: `Put this training in the queue ("queue": true), stop ${holder}, or choose another GPU.`,
    about: { session: holder },
  });
}
