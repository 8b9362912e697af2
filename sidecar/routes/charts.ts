import { type Context, Hono } from 'hono';
import { ifMissing } from '../caught.js';
import { rootOf } from '../request.js';
import { type AskedCharts, readCharts } from '../sessions/products/chart.js';
import { curvesCsv } from '../sessions/products/chartCsv.js';
import type { ChartAxis } from '../sessions/products/chartFacts.js';
import type { Trackside } from '../trackside.js';
import { colourOf, type DrawnCharts, type ShownCharts, toldCurves, toldMarks } from '../views/charts.js';
import { pageModel } from './home.js';
import { answer, attachment } from './respond.js';

const AXES: readonly ChartAxis[] = ['step', 'epoch', 'wall', 'process'];
/** Other sessions in the same charts. */
const MOST_OTHERS = 6;
const ROWS_AT_ONCE = 2000;

/**
 * The curves of a session, as a page or as JSON, by what is asked for in the address: `axis` (step, epoch, wall, process),
 * `from` and `to` on it, `smooth` (0 to 0.999), `points`, `tags`, `with` other sessions. `curves.csv` has all points of the
 * same part, of the other sessions, too.
 */
export function chartRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs, views } = trackside;

  routes.get('/sessions/:name/charts', async (c) => {
    const session = await outputs.read(c.req.param('name'));
    const shown = shownOf(c);
    const charts = await readCharts(session, shown);
    const tags = charts.curves.map(({ tag }) => tag);
    const others = await Promise.all(shown.with.map((name) => readOther(name, { ...shown, tags })));
    const facts = { ...charts, others: others.filter((each) => each !== null) };
    return answer(c, toldOf(facts, shown), async () => {
      const model = await pageModel(trackside, rootOf(c), session.name);
      return views.charts({ ...model, session: session.facts, shown, charts: facts });
    });
  });

  routes.get('/sessions/:name/curves.csv', async (c) => {
    const session = await outputs.read(c.req.param('name'));
    const others = await Promise.all(withOf(c).map((name) => outputs.read(name).catch(ifMissing(null))));
    const sessions = [session, ...others.filter((each) => each !== null)];
    return c.body(textStream(curvesCsv(sessions, shownOf(c))), 200, {
      'Content-Type': 'text/csv; charset=utf-8',
      ...attachment(`${session.name}-curves.csv`),
    });
  });

  return routes;

  /** Null for a session that is gone: the others are still shown. */
  async function readOther(name: string, shown: AskedCharts) {
    const session = await outputs.read(name).catch(ifMissing(null));
    if (!session) return null;
    const { curves } = await readCharts(session, shown);
    const { lora_name: lora, version, version_name } = session.facts;
    return { name, lora, version, version_name, colour: colourOf(name), curves };
  }
}

/** As the page's script shows them. */
function toldOf(charts: DrawnCharts, shown: ShownCharts) {
  return { ...charts, curves: toldCurves(charts.curves, shown), marks: toldMarks(charts.marks) };
}

/** What of charts an address asks for. */
export function shownOf(c: Context): ShownCharts {
  const query = c.req.query();
  const axis = AXES.find((each) => each === query.axis) ?? 'step';
  return {
    axis,
    from: numberOf(query.from),
    to: numberOf(query.to),
    points: Math.min(4000, Math.max(50, numberOf(query.points) ?? 500)),
    smooth: Math.min(0.999, Math.max(0, numberOf(query.smooth) ?? 0.9)),
    tags: query.tags ? query.tags.split(',') : null,
    log: query.log === '1',
    clip: query.clip === '1',
    plan: query.plan === '1',
    with: withOf(c).slice(0, MOST_OTHERS),
  };
}

/** Names of other sessions. */
function withOf(c: Context): string[] {
  const given = c.req.queries('with')?.flatMap((each) => each.split(',')) ?? [];
  return [...new Set(given)].filter(Boolean);
}

/** A number as an address has it; null where it is none. */
export function numberOf(text: string | undefined): number | null {
  return text !== undefined && text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : null;
}

/** Text that is made as it is sent. */
function textStream(rows: AsyncGenerator<string, void>) {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let text = '';
      for (let count = 0; count < ROWS_AT_ONCE; count += 1) {
        const { value, done } = await rows.next();
        if (done) {
          if (text) controller.enqueue(encoder.encode(text));
          controller.close();
          return;
        }
        text += value;
      }
      controller.enqueue(encoder.encode(text));
    },
    async cancel() {
      await rows.return();
    },
  });
}
