import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { type Sidecar, type TestSidecars, trainersOf } from '../sidecar.js';

export const ALIVE = ['starting', 'running', 'stopping'];
/** A change may take so long to show: the look round, a pod that may still be there, a busy machine. */
const PATIENCE_MS = 15_000;

/** What has been done to a session, as far as it bears on what may be told of it. */
export type Done = {
  /** The last edit by jq. */
  edit?: string;
  /** Somebody ended its runner by `kill`. */
  byHand?: boolean;
  /** The disk takes nothing, so the record of an end may have to wait. */
  diskFault?: boolean;
};

/** Asks until what is told agrees with /proc, or patience is at an end: then the lie, in words. */
export async function lieAbout(
  place: TestSidecars,
  sidecar: Sidecar,
  name: string,
  done: Done,
): Promise<string | null> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const before = trainersOf(place, name);
    const facts = await sidecar.session(name);
    const lie = disagreement(facts, before, trainersOf(place, name), done);
    if (!lie) return null;
    if (performance.now() > end) return lie;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function disagreement(facts: SessionFacts, before: number[], after: number[], done: Done): string | null {
  const { name, status, reason } = facts;
  if (after.length > 1) return `${after.length} trainers live in ${name}: ${after}`;
  const saysItEnded = done.diskFault && reason?.includes('The trainer has ended.');
  if (ALIVE.includes(status) && before.length === 0 && after.length === 0 && !saysItEnded) {
    return `${name} is told to be ${status}, but no trainer lives`;
  }
  if (!ALIVE.includes(status) && status !== 'pending' && before.length > 0 && after.length > 0) {
    return `${name} is told to be ${status}, but ${after} lives`;
  }
  if (facts.record !== 'whole') return `${name}: ${reason}`;
  if (done.edit !== undefined && facts.description !== done.edit) return `${name} lost the edit "${done.edit}"`;
  if (reason?.startsWith('Stopped by SIG') && !done.byHand) return `${name} is told as stopped by hand: ${reason}`;
  return null;
}

/** Every ui_state.json has to be whole at every moment. */
export function tornFiles(outputs: string): string[] {
  const sessions = readdirSync(outputs, { withFileTypes: true }).filter((each) => each.isDirectory());
  return sessions.flatMap(({ name }) => {
    const path = join(outputs, name, 'ui_state.json');
    try {
      JSON.parse(readFileSync(path, 'utf8'));
      return [];
    } catch (error) {
      const young = (error as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync(join(outputs, name, 'history'));
      return young ? [] : [`${path}: ${(error as Error).message}`];
    }
  });
}

/** Of the tensors alone: the header holds times. */
export function weightsOf(place: TestSidecars, name: string): string {
  const bytes = readFileSync(join(place.outputs, name, `${name}.safetensors`));
  return createHash('sha256')
    .update(bytes.subarray(8 + Number(bytes.readBigUInt64LE(0))))
    .digest('hex');
}
