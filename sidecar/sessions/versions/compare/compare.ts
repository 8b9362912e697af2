import type { SessionFacts } from '../../facts.js';
import type { Outputs } from '../../outputs/outputs.js';
import { type AskedCharts, readCurves, tagsOf } from '../../products/chart.js';
import type { ChartCurve, Charts } from '../../products/chartFacts.js';
import { type Run, runsOf } from '../../products/chartRuns.js';
import { secondsTrained } from '../../status/secondsTrained.js';
import type { Session } from '../../status/session.js';
import type { ComparedSession, Comparison } from './facts.js';
import { type Kept, reading, readSessions } from './kept.js';
import { compareSamples } from './samples.js';
import { compareSettings } from './settings.js';

export type AskedComparison = {
  sessions: readonly string[];
  /** Null for the first one. */
  baseline: string | null;
  charts: AskedCharts;
  /** Of each session the newest sample up to this step; null for the newest. */
  step: number | null;
  /** What a session has cost, in any currency; null where unknown. */
  costOf(facts: SessionFacts): number | null;
};

/** Points of all curves of one kind together: a page of 200 sessions draws fewer points of each. */
const MOST_POINTS = 40_000;
/** More sessions are compared by one curve. */
const MOST_WITH_ALL = 12;
const COLOURS = 8;

/** Any number of sessions, of any LoRAs, side by side. Names that are no sessions are named, and left out. */
export async function compareSessions(outputs: Outputs, asked: AskedComparison): Promise<Comparison> {
  const names = [...new Set(asked.sessions)];
  const kept = await readSessions(outputs, names);
  const sessions = kept.map(({ session }) => session);
  const found = new Set(sessions.map(({ name }) => name));
  const base = Math.max(
    0,
    sessions.findIndex(({ name }) => name === asked.baseline),
  );
  const points = Math.max(50, Math.min(asked.charts.points, Math.round(MOST_POINTS / (sessions.length || 1))));
  const all = await readDrawn(kept, { ...asked.charts, points });
  const lead = [all[base], ...all].find((each) => each && each.drawn.curves.length > 0) ?? all[base];
  const { rows, steps } = await compareSamples(kept, asked.step);
  const colours = coloursOf(sessions, lead?.session ?? null);
  return {
    baseline: sessions[base]?.name ?? null,
    sessions: all.map((each) => comparedSession(each, asked, colours.get(each.session) ?? null)),
    missing: names.filter((name) => !found.has(name)),
    settings: compareSettings(sessions, base),
    samples: rows,
    sample_steps: steps,
    leads: lead?.session.name ?? null,
    others: all.flatMap(({ session, drawn }) => {
      const { name, lora_name, version, version_name } = session.facts;
      const colour = colours.get(session) ?? null;
      if (colour === null || drawn.curves.length === 0) return [];
      return [{ name, lora: lora_name, version, version_name, colour, curves: drawn.curves.map(smoothOnly) }];
    }),
    ...(lead?.drawn ?? NOTHING),
    range: rangeOf(all),
  };
}

type Drawn = Kept & { drawn: Charts };

/** The losses of each session, of many only the first one, unless other curves were asked for. */
async function readDrawn(sessions: readonly Kept[], asked: AskedCharts): Promise<Drawn[]> {
  return forEach(sessions, async (kept) => {
    const runs = await runsOf(kept.session);
    const losses = tagsOf(runs).filter((tag) => /loss/i.test(tag));
    const tags = asked.tags ?? losses.slice(0, sessions.length > MOST_WITH_ALL ? 1 : 3);
    const key = JSON.stringify({ ...asked, tags, points: [asked.points, ...runs.map(pointsOf)] });
    const drawn = kept.charts.get(key) ?? (await readCurves(kept.session, runs, { ...asked, tags }));
    kept.charts.set(key, drawn);
    return { ...kept, drawn };
  });
}

/** All that is in it: values are only added. */
function pointsOf({ series }: Run): number {
  return [...series.curves.values()].reduce((sum, { length }) => sum + length, 0);
}

function comparedSession(
  { session, weights, drawn }: Drawn,
  { charts: { smooth }, costOf }: AskedComparison,
  colour: number | null,
): ComparedSession {
  const { name, lora_name, version, version_name, trainer, status, description, timestamp, progress } = session.facts;
  const seconds = secondsTrained(session.facts, new Date());
  const curve = drawn.curves.find(({ tag }) => /loss/i.test(tag));
  return {
    ...{ name, lora_name, version, version_name, trainer, status, description, timestamp },
    duration_seconds: seconds,
    step: progress.step,
    epoch: progress.epoch,
    checkpoint_bytes: weights.newest,
    weights_bytes: weights.all,
    peak_gpu_memory: peakOf(session.facts),
    cost: costOf(session.facts),
    loss: curve
      ? {
          tag: curve.tag,
          last: lastOf(curve, smooth),
          best: curve.best?.y ?? null,
          best_step: curve.best?.step ?? null,
        }
      : null,
    colour,
  };
}

function peakOf({ attempts }: SessionFacts): number | null {
  const known = attempts.flatMap(({ peak_gpu_memory }) => peak_gpu_memory ?? []);
  return known.length > 0 ? Math.max(...known) : null;
}

/** Of the whole curve, however much of it is seen. */
function lastOf({ mean: { sum, count }, raw }: ChartCurve, smooth: number): number | null {
  if (count === 0) return raw.y.findLast((value) => value !== null) ?? null;
  return Number((sum / (1 - smooth ** count)).toPrecision(7));
}

/** Beside others, a curve is its smoothed line. */
function smoothOnly(curve: ChartCurve): ChartCurve {
  return { ...curve, raw: { x: [], y: [] }, lost: [], odd: [], spikes: [] };
}

/** In the order of the sessions, so that the first eight are told apart; null for the one that leads. */
function coloursOf(sessions: readonly Session[], lead: Session | null): Map<Session, number | null> {
  const others = sessions.filter((session) => session !== lead);
  return new Map([
    ...(lead ? [[lead, null] as [Session, null]] : []),
    ...others.map((session, at): [Session, number] => [session, at % COLOURS]),
  ]);
}

function rangeOf(all: readonly Drawn[]): Charts['range'] {
  const ranges = all.filter(({ drawn }) => drawn.curves.length > 0).map(({ drawn }) => drawn.range);
  if (ranges.length === 0) return NOTHING.range;
  return {
    from: Math.min(...ranges.map(({ from }) => from)),
    to: Math.max(...ranges.map(({ to }) => to)),
    plan: null,
  };
}

const NOTHING: Charts = {
  curves: [],
  range: { from: 0, to: 0, plan: null },
  marks: [],
  axis: { stepsPerEpoch: null, begun: 0, attemptBegun: 0, before: 0 },
};

function forEach<T, R>(all: readonly T[], read: (each: T) => Promise<R>): Promise<R[]> {
  return Promise.all(all.map((each) => reading(() => read(each))));
}
