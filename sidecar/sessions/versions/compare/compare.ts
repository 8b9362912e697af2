import { ifMissing } from '../../../caught.js';
import { semaphore } from '../../../files/queue.js';
import type { SessionFacts } from '../../facts.js';
import type { Outputs } from '../../outputs/outputs.js';
import { type AskedCharts, readCurves, tagsOf } from '../../products/chart.js';
import type { ChartCurve, Charts } from '../../products/chartFacts.js';
import { type Run, runsOf } from '../../products/chartRuns.js';
import { checkpointsOf } from '../../products/products.js';
import { secondsTrained } from '../../status/secondsTrained.js';
import type { Session } from '../../status/session.js';
import type { ComparedSession, Comparison } from './facts.js';
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

/** Sessions are read by so many at a time, by all that compare. */
const reading = semaphore(16);
/** Points of all curves of one kind together: a page of 200 sessions draws fewer points of each. */
const MOST_POINTS = 40_000;
/** More sessions are compared by one curve. */
const MOST_WITH_ALL = 12;
const COLOURS = 8;

/** Any number of sessions, of any LoRAs, side by side. Names that are no sessions are named, and left out. */
export async function compareSessions(outputs: Outputs, asked: AskedComparison): Promise<Comparison> {
  const names = [...new Set(asked.sessions)];
  const sessions = await readSessions(outputs, names);
  const found = new Set(sessions.map(({ name }) => name));
  const base = Math.max(
    0,
    sessions.findIndex(({ name }) => name === asked.baseline),
  );
  const points = Math.max(50, Math.min(asked.charts.points, Math.round(MOST_POINTS / (sessions.length || 1))));
  const drawn = await readDrawn(sessions, { ...asked.charts, points });
  const lead = [drawn[base], ...drawn].find((each) => each && each.charts.curves.length > 0) ?? drawn[base];
  const { rows, steps } = await compareSamples(sessions, asked.step);
  const colours = coloursOf(sessions, lead?.session ?? null);
  return {
    baseline: sessions[base]?.name ?? null,
    sessions: await forEach(drawn, (each) => comparedSession(each, asked, colours.get(each.session) ?? null)),
    missing: names.filter((name) => !found.has(name)),
    settings: compareSettings(sessions, base),
    samples: rows,
    sample_steps: steps,
    leads: lead?.session.name ?? null,
    others: drawn.flatMap(({ session, charts }) => {
      const { name, lora_name, version } = session.facts;
      const colour = colours.get(session) ?? null;
      if (colour === null || charts.curves.length === 0) return [];
      return [{ name, lora: lora_name, version, colour, curves: charts.curves.map(smoothOnly) }];
    }),
    ...(lead?.charts ?? NOTHING),
    range: rangeOf(drawn),
  };
}

/** Those that there are, in this order: their facts as they are now, without their states. */
export async function readSessions(outputs: Outputs, names: readonly string[]): Promise<Session[]> {
  const read = await forEach(names, async (name) => {
    const folder = await outputs.folder(name).catch(ifMissing(null));
    return folder === null ? null : outputs.refresh(name);
  });
  return read.filter((each) => each !== null);
}

type Drawn = { session: Session; runs: Run[]; charts: Charts };

/** The losses of each session, of many only the first one, unless other curves were asked for. */
async function readDrawn(sessions: readonly Session[], asked: AskedCharts): Promise<Drawn[]> {
  return forEach(sessions, async (session) => {
    const runs = await runsOf(session);
    const losses = tagsOf(runs).filter((tag) => /loss/i.test(tag));
    const tags = asked.tags ?? losses.slice(0, sessions.length > MOST_WITH_ALL ? 1 : 3);
    return { session, runs, charts: await readCurves(session, runs, { ...asked, tags }) };
  });
}

async function comparedSession(
  { session, charts }: Drawn,
  { charts: { smooth }, costOf }: AskedComparison,
  colour: number | null,
): Promise<ComparedSession> {
  const { name, lora_name, version, trainer, status, description, timestamp, progress } = session.facts;
  const seconds = secondsTrained(session.facts, new Date());
  const weights = (await checkpointsOf(session)).filter(({ problem }) => !problem);
  const curve = charts.curves.find(({ tag }) => /loss/i.test(tag));
  return {
    ...{ name, lora_name, version, trainer, status, description, timestamp },
    duration_seconds: seconds,
    step: progress.step,
    epoch: progress.epoch,
    checkpoint_bytes: weights[0]?.bytes ?? null,
    weights_bytes: weights.reduce((sum, { bytes }) => sum + bytes, 0),
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

function rangeOf(drawn: readonly Drawn[]): Charts['range'] {
  const ranges = drawn.filter(({ charts }) => charts.curves.length > 0).map(({ charts }) => charts.range);
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
