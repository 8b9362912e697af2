import { log } from '../../log.js';
import { findTrainer } from '../../trainers/catalogue.js';
import type { GpuPreset } from '../../trainers/trainer.js';
import { type Beginning, beginAttempt } from '../attempt/begin.js';
import type { SessionFacts } from '../facts.js';
import { enqueue } from '../queue/enqueue.js';
import { updateStateFile } from '../record/stateFile.js';
import { launcherFor } from '../record/wants.js';
import type { Session } from '../status/session.js';

/** See trainers/causes/gpuCauses.ts. */
export const OUT_OF_MEMORY = 'gpu_memory';

/** Sessions that are being put into the queue. */
const underWay = new Set<string>();

/**
 * Puts a session that ran out of GPU memory into the queue again, ahead of all, with the next smaller preset: once, if that is
 * switched on (`retry_smaller`), and only while there is nothing to resume: a resume keeps the settings of its start.
 */
export async function retrySmaller(trackside: Beginning, name: string): Promise<void> {
  const known = trackside.outputs.facts(name);
  if (!known || !isOutOfMemory(known) || underWay.has(name)) return;
  underWay.add(name);
  try {
    const session = await trackside.outputs.read(name);
    if (willRetry(session)) await queueSmaller(trackside, session);
  } finally {
    underWay.delete(name);
  }
}

async function queueSmaller(trackside: Beginning, { name, folder, state, facts }: Session): Promise<void> {
  const smaller = nextSmaller(findTrainer(trackside.settings, facts.trainer).presets ?? [], state?.vram);
  const off = { retry_smaller: false };
  const switchOff = () => updateStateFile(folder, (raw) => void Object.assign(raw, off));
  if (!smaller) return void (await switchOff());
  const also = { ...off, vram: smaller, retried_smaller: { from: state?.vram ?? '', to: smaller } };
  const kind = facts.next === 'start' ? 'start' : 'relaunch';
  try {
    if (launcherFor(trackside.settings, state) === 'local') await enqueue(trackside, name, { kind, first: true, also });
    else {
      // A cluster has a queue of its own.
      await updateStateFile(folder, (raw) => void Object.assign(raw, also));
      await beginAttempt(trackside, name, { kind });
    }
  } catch (error) {
    // Whatever happens, it is tried once.
    await switchOff();
    throw error;
  }
  log.info('queue', `Out of memory: tried once more with the preset ${smaller}.`, { session: name });
}

/** Is a session that has ended about to be tried once more? Then its end is no news yet. */
export function willRetry({ state, facts }: Pick<Session, 'state' | 'facts'>): boolean {
  return state?.retry_smaller === true && isOutOfMemory(facts);
}

function isOutOfMemory({ status, reason_code, queue, resume }: SessionFacts): boolean {
  return status === 'failed' && reason_code === OUT_OF_MEMORY && !queue && !resume;
}

/** The preset after this one: presets are listed from the largest to the smallest, and the one without a GPU is none. Pure. */
export function nextSmaller(presets: readonly GpuPreset[], vram: string | undefined): string | null {
  const cards = presets.filter(({ gib }) => gib > 0).sort((a, b) => b.gib - a.gib);
  const at = cards.findIndex((preset) => preset.vram === vram);
  return at < 0 ? null : (cards[at + 1]?.vram ?? null);
}
