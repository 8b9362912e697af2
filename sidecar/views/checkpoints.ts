import { memoByObject } from '../files/memoByObject.js';
import type { CheckpointFacts, SessionFacts } from '../sessions/facts.js';
import { bytes, count, elementId, joined } from './formatting.js';

export type CheckpointsView = NonNullable<ReturnType<typeof checkpointsView>>;

/** `at` is the address of the session. */
export function checkpointsView({ status }: SessionFacts, checkpoints: CheckpointFacts[], at: string) {
  if (status === 'draft' && checkpoints.length === 0) return null;
  return { checkpoints: checkpoints.map((checkpoint) => checkpointView(checkpoint, at)) };
}

const checkpointView = memoByObject((checkpoint: CheckpointFacts, at: string) => {
  return {
    id: elementId('checkpoint', checkpoint.path),
    name: checkpoint.path,
    what: savedAt(checkpoint),
    size: bytes(checkpoint.bytes),
    /** What its header tells. */
    told: Object.entries(checkpoint.metadata).map(([name, value]) => ({
      name: name.replace(/^ss_/, ''),
      value: toldValue(name, value),
    })),
    saved: checkpoint.saved_at,
    problem: checkpoint.problem ?? null,
    href: checkpointAddress(checkpoint, at),
  };
});

export function checkpointAddress({ path }: CheckpointFacts, at: string): string {
  return `${at}/checkpoints/${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** "epoch 10 · step 600", "final · step 960"; "step 650" in the middle of one, whose epochs before it say nothing. */
export function savedAt({ kind, epoch, step }: Pick<CheckpointFacts, 'kind' | 'epoch' | 'step'>): string {
  return joined(
    kind === 'final' && 'final',
    epoch !== null && kind === 'epoch' && `epoch ${count(epoch)}`,
    step !== null && `step ${count(step)}`,
  );
}

/** sd-scripts writes times as seconds since 1970. */
function toldValue(name: string, value: string): string {
  const seconds = Number(value);
  return name.endsWith('_at') && seconds > 0
    ? new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
    : value;
}
