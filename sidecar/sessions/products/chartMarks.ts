import { attemptWord } from '../status/attempts.js';
import type { Session } from '../status/session.js';
import type { ChartAxis, ChartMark } from './chartFacts.js';
import type { Run } from './chartRuns.js';
import { checkpointsOf, samplesOf, stepOfSample } from './products.js';

type Place = { axis: ChartAxis; perEpoch: number | null; begun: number };
/** Something that happened at a step, or at a time where the axis counts seconds. */
type Happened = Omit<ChartMark, 'x'> & { step: number | null; atMs: number };

/** Attempts, alerts, checkpoints and samples on the axis; of very many, the newest. */
export async function marksOf(session: Session, runs: readonly Run[], place: Place): Promise<ChartMark[]> {
  const happened = [
    ...attempts(session),
    ...alerts(runs),
    ...(await checkpoints(session)),
    ...(await samples(session, place)),
  ];
  return happened.flatMap((each) => {
    const x = xOf(each, runs, place);
    return x === null ? [] : [{ x, kind: each.kind, label: each.label }];
  });
}

const MOST = 500;

function attempts({ facts }: Session): Happened[] {
  return facts.attempts.slice(1).map((attempt, index) => {
    const { reason } = facts.attempts[index] ?? { reason: null };
    const why = reason ? `: ${reason}` : '';
    const label = `Attempt ${attempt.number} (${attemptWord(attempt)}) from step ${attempt.step_offset}${why}`;
    return { kind: 'attempt', step: attempt.step_offset, atMs: Date.parse(attempt.started_at), label };
  });
}

function alerts(runs: readonly Run[]): Happened[] {
  const all = runs.flatMap(({ series }) => series.alerts ?? []);
  return all.map(({ step, time, title }) => {
    const where = step === null ? '' : ` at step ${step}`;
    return { kind: 'alert', step, atMs: time * 1000, label: `Alert${where}: ${title}` };
  });
}

async function checkpoints(session: Session): Promise<Happened[]> {
  const found = await checkpointsOf(session);
  return found
    .filter(({ path, name, problem }) => path === name && !problem)
    .slice(0, MOST)
    .map(({ name, step, saved_at }) => ({ kind: 'checkpoint', step, atMs: Date.parse(saved_at), label: name }));
}

async function samples(session: Session, { perEpoch }: Place): Promise<Happened[]> {
  const seen = new Set<string>();
  const found: Happened[] = [];
  for (const { step, epoch, saved_at } of await samplesOf(session)) {
    const label = epoch !== null ? `Samples of epoch ${epoch}` : `Samples of step ${step ?? 0}`;
    if (seen.has(label) || found.length >= MOST) continue;
    seen.add(label);
    found.push({ kind: 'sample', step: stepOfSample({ step, epoch }, perEpoch), atMs: Date.parse(saved_at), label });
  }
  return found;
}

function xOf({ step, atMs }: Happened, runs: readonly Run[], { axis, perEpoch, begun }: Place): number | null {
  if (axis === 'step') return step;
  if (axis === 'epoch') return step === null || !perEpoch ? null : step / perEpoch;
  const at = atMs / 1000;
  if (runs.length === 0 || Number.isNaN(at)) return null;
  if (axis === 'wall') return Math.max(0, at - begun);
  const run = runs.findLast((each) => each.begun <= at) ?? runs[0];
  const next = runs.find((each) => each.begun > at);
  return run ? Math.min(run.before + Math.max(0, at - run.begun), next?.before ?? Number.POSITIVE_INFINITY) : null;
}
