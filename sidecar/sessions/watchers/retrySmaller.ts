import { log } from '../../log.js';
import { findTrainer } from '../../trainers/catalogue.js';
import type { GpuPreset } from '../../trainers/trainer.js';
import { enqueue, type Queueing } from '../queue/enqueue.js';
import { updateStateFile } from '../record/stateFile.js';

/** See trainers/causes/gpuCauses.ts. */
const OUT_OF_MEMORY = 'gpu_memory';

/**
 * Puts a session that ran out of GPU memory into the queue again, ahead of all, with the next smaller preset: once, if that is
 * switched on (`retry_smaller`), and only while there is nothing to resume: a resume keeps the settings of its start.
 */
export async function retrySmaller(trackside: Queueing, name: string): Promise<void> {
  const { outputs, settings } = trackside;
  const facts = outputs.facts(name);
  if (facts?.status !== 'failed' || facts.reason_code !== OUT_OF_MEMORY || facts.queue || facts.resume) return;
  const { state, folder, facts: now } = await outputs.read(name);
  if (!state?.retry_smaller || now.status !== 'failed' || now.resume) return;
  const smaller = nextSmaller(findTrainer(settings, now.trainer).presets ?? [], state.vram);
  // First: whatever happens then, it is tried once.
  await updateStateFile(folder, (raw) => {
    raw.retry_smaller = false;
    if (smaller) Object.assign(raw, { vram: smaller, retried_smaller: { from: state.vram ?? '', to: smaller } });
  });
  if (!smaller) return;
  log.info('queue', `Out of memory: tried once more with the preset ${smaller}.`, { session: name });
  await enqueue(trackside, name, { kind: now.next === 'start' ? 'start' : 'relaunch', first: true });
}

/** The preset after this one: presets are listed from the largest to the smallest, and the one without a GPU is none. Pure. */
export function nextSmaller(presets: readonly GpuPreset[], vram: string | undefined): string | null {
  const cards = presets.filter(({ gib }) => gib > 0).sort((a, b) => b.gib - a.gib);
  const at = cards.findIndex((preset) => preset.vram === vram);
  return at < 0 ? null : (cards[at + 1]?.vram ?? null);
}
