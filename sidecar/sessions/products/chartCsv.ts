import type { Session } from '../status/session.js';
import { type AskedCharts, placeOf, stretchOf, tagsOf } from './chart.js';
import { type Run, runsOf } from './chartRuns.js';

export type AskedCsv = Pick<AskedCharts, 'tags' | 'axis' | 'from' | 'to'>;

/** All points of the curves of sessions in a part of the axis, a row each; with several sessions, each row names its own. */
export async function* curvesCsv(sessions: readonly Session[], asked: AskedCsv): AsyncGenerator<string, void> {
  const several = sessions.length > 1;
  yield `${several ? 'session,' : ''}curve,step,value,time,attempt,trained again later\n`;
  for (const session of sessions) {
    for (const row of rowsOf(session, await runsOf(session), asked))
      yield several ? `${cell(session.name)},${row}` : row;
  }
}

function* rowsOf(session: Session, runs: readonly Run[], { tags, axis, from, to }: AskedCsv): Generator<string, void> {
  const place = { axis, ...placeOf(session, runs), countedBy: session.dialect.metrics.countedBy };
  for (const tag of tags ?? tagsOf(runs)) {
    for (const run of runs) {
      const stretch = stretchOf(run, tag, place);
      if (!stretch) continue;
      const { series, kept, x, step } = stretch;
      for (let at = 0; at < series.length; at += 1) {
        const seen = x(at);
        if (seen < (from ?? seen) || seen > (to ?? seen)) continue;
        const time = new Date((series.times[at] ?? 0) * 1000).toISOString();
        yield `${cell(tag)},${step(at)},${series.values[at]},${time},${run.attempt},${at < kept ? 0 : 1}\n`;
      }
    }
  }
}

function cell(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
