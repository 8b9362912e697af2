import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { exampleDataset, quick, type Sidecar, type TestSidecars } from '../sidecar.js';

/** What a sidecar and its jobs get: steps that can be watched, exact pause, resumes without a wait. */
export const slowly = {
  TRACKSIDE_EXACT_PAUSE: 'on',
  PRACTICE_STEP_SECONDS: '0.25',
  TRACKSIDE_AUTO_RESUME_DELAYS: '0.2',
};

export function placeDataset(place: TestSidecars): void {
  cpSync(exampleDataset, join(place.datasets, 'example'), { recursive: true });
}

/** Makes a session, gives its record what only a cluster knows, and starts it unless `start` is false. */
export async function train(
  place: TestSidecars,
  sidecar: Sidecar,
  name: string,
  { start = true, ...more }: Record<string, unknown> = {},
): Promise<void> {
  const made = await sidecar.send('POST', 'sessions', { ...quick, lora_name: name });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  asksFor(place, name, more);
  if (!start) return;
  const begun = await begin(sidecar, name, 'start');
  if (begun.status !== 201) throw new Error(JSON.stringify(begun.body));
}

/** Gives a session's record what only a cluster knows. */
export function asksFor(place: TestSidecars, name: string, more: Record<string, unknown>): void {
  const path = join(place.outputs, name, 'ui_state.json');
  const cluster = { launcher: 'slurm', cluster_memory_mib: 100, ...more };
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...cluster }));
}

export const begin = (sidecar: Sidecar, name: string, kind: string, more = {}) =>
  sidecar.send('POST', `sessions/${name}/attempts`, { kind, ...more });

export const stop = (sidecar: Sidecar, name: string) => sidecar.send('DELETE', `sessions/${name}/attempts/current`);

export const jobOf = (facts: SessionFacts) => facts.attempts.at(-1)?.job?.id ?? '';

export const isOver = ({ status }: SessionFacts) => ['stopped', 'completed', 'failed'].includes(status);

export const stepped =
  (step: number) =>
  ({ progress }: SessionFacts) =>
    (progress.step ?? 0) >= step;

/** The final weights as a hash, without the header, which has times in it. */
export function weightsOf(place: TestSidecars, name: string): string {
  const bytes = readFileSync(join(place.outputs, name, `${name}.safetensors`));
  return createHash('sha256')
    .update(bytes.subarray(8 + Number(bytes.readBigUInt64LE(0))))
    .digest('hex');
}
