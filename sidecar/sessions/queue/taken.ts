import { basename } from 'node:path';
import { readOr } from '../../caught.js';
import type { Gpu, Gpus } from '../../launchers/launcher.js';
import { local } from '../../launchers/local.js';
import { markedAttempts } from '../../launchers/marked.js';
import { isWithin } from '../../security/paths.js';
import type { Settings } from '../../settings.js';
import { findTrainer } from '../../trainers/catalogue.js';
import { gpuHolders, namedGpus, wantsGpu } from '../claimGpus.js';
import type { SessionFacts } from '../facts.js';
import type { Outputs } from '../outputs/outputs.js';
import type { UnderWay } from '../underWay.js';
import type { Taken, Waiting } from './turns.js';

/**
 * A GPU counts as used by somebody beyond this: a tenth of its memory, and at least what a desktop and the driver itself take.
 * It is more than an idle card shows, and less than any model.
 */
const USED_SHARE = 0.1;
const USED_BYTES = 2 * 1024 ** 3;

/** What each of the waiting sessions wants of the GPUs that were found. */
export function wantsOf(settings: Settings, { gpus, unknown }: Gpus, waiting: readonly SessionFacts[]): Waiting[] {
  return waiting.map((facts) => ({ name: facts.name, wants: unknown ? 'none' : wantOf(settings, gpus, facts) }));
}

function wantOf(settings: Settings, gpus: readonly Gpu[], facts: SessionFacts): Waiting['wants'] {
  if (!usesGpu(settings, facts)) return 'none';
  const asked = facts.queue?.gpus ?? '';
  const named = readOr<number[] | null | 'refused'>('refused', 'queue', () => namedGpus(asked, gpus));
  if (named === null) return 'any';
  if (named === 'refused' || gpus.length === 0) return gpus.length === 0 ? [] : 'refused';
  return named.every((index) => gpus.some((gpu) => gpu.index === index)) ? named : 'refused';
}

/** False also where that is not known: of a script of the user. */
export function usesGpu(settings: Settings, { trainer, settings: { vram } }: SessionFacts): boolean {
  return readOr(false, 'queue', () => wantsGpu(findTrainer(settings, trainer), vram as string | undefined));
}

/** The GPUs of this machine, as they are now or (not `anew`) were a moment ago. Asks nvidia-smi, if any of the sessions uses a GPU. */
export async function gpusFor(settings: Settings, waiting: readonly SessionFacts[], anew: boolean): Promise<Gpus> {
  return waiting.some((facts) => usesGpu(settings, facts)) ? local.offers(anew) : { gpus: [], missing: null };
}

/**
 * What is taken, by all the evidence there is: sessions that train, or are about to, or go on by themselves in a moment;
 * processes of ours that are left on this machine, whatever a record says; and the memory that nvidia-smi reports.
 */
export async function readTaken(
  { outputs, underWay }: { outputs: Outputs; underWay: UnderWay },
  { gpus, missing, unknown }: Gpus,
): Promise<Taken> {
  const left = await leftProcesses(outputs);
  const all = await outputs.list();
  const busy = new Map<number, string>();
  const take = (index: number, words: string) => void (busy.has(index) || busy.set(index, `GPU ${index} ${words}`));
  for (const [index, holder] of gpuHolders(all)) take(index, `is in use by ${holder}.`);
  for (const [index, holder] of underWay.gpus) take(index, `is about to be used by ${holder}.`);
  for (const { name, auto_resume, attempts } of all)
    if (auto_resume.will && attempts.at(-1)?.launcher === 'local')
      for (const index of attempts.at(-1)?.gpus ?? []) take(index, `is kept for ${name}, which resumes by itself.`);
  for (const { name, pid } of left)
    for (const index of outputs.facts(name)?.attempts.at(-1)?.gpus ?? [])
      take(index, `is still held by process ${pid} of ${name}.`);
  for (const { index, memoryTotal, memoryFree } of gpus) {
    if (memoryTotal === null || memoryFree === null) continue;
    const used = memoryTotal - memoryFree;
    if (used > Math.max(USED_BYTES, memoryTotal * USED_SHARE))
      take(index, `has ${gib(used)} of ${gib(memoryTotal)} GB in use by another program.`);
  }
  const known = gpus.length > 0 || unknown === true || missing === null;
  return {
    gpus: gpus.map(({ index }) => index),
    busy,
    withoutGpu: whoUsesNoGpu(all, left, underWay),
    unknown: known ? null : (missing ?? ''),
  };
}

function whoUsesNoGpu(all: readonly SessionFacts[], left: readonly Left[], underWay: UnderWay): string | null {
  const holding = new Set(underWay.gpus.values());
  const runs = all.find(({ attempts, by_hand }) => {
    const latest = attempts.at(-1);
    return (
      (by_hand !== null && by_hand.job === null) ||
      (latest?.alive === true && latest.host === null && latest.gpus.length === 0)
    );
  });
  const resumes = all.find(({ auto_resume, attempts }) => {
    const latest = attempts.at(-1);
    return auto_resume.will && latest?.launcher === 'local' && latest.gpus.length === 0;
  });
  const begins = [...underWay.beginning].find((name) => !holding.has(name));
  const process = left.find(({ name, gpus }) => gpus === 0 && name !== runs?.name);
  if (runs) return `${runs.name} is training.`;
  if (begins) return `${begins} is about to start.`;
  if (resumes) return `${resumes.name} resumes by itself first.`;
  return process ? `Process ${process.pid} of ${process.name} has not ended yet.` : null;
}

/** `gpus`: how many its session's newest attempt has. */
type Left = { name: string; pid: number; gpus: number };

/**
 * Living processes of attempts in these outputs whose sessions don't show them: another Trackside has begun them a moment
 * ago, or they outlived their attempt. Their sessions are read again first.
 */
async function leftProcesses(outputs: Outputs): Promise<Left[]> {
  const found: Left[] = [];
  for (const { attempt, processes, logFolder, output } of markedAttempts()) {
    const folder = logFolder ?? output;
    if (!folder || !isWithin(outputs.root, folder) || outputs.living().has(attempt)) continue;
    const name = basename(folder);
    await outputs.refresh(name);
    const latest = outputs.facts(name)?.attempts.at(-1);
    found.push({ name, pid: processes[0]?.pid ?? 0, gpus: latest?.gpus.length ?? 0 });
  }
  return found;
}

function gib(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(0);
}
