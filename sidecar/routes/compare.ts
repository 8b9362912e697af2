import { type Context, Hono } from 'hono';
import { rootOf } from '../request.js';
import type { SessionFacts } from '../sessions/facts.js';
import { loraKey } from '../sessions/names.js';
import { loraCalled } from '../sessions/outputs/loras.js';
import { compareSessions } from '../sessions/versions/compare/compare.js';
import type { Trackside } from '../trackside.js';
import { toldCurves } from '../views/charts.js';
import { numberOf, shownOf } from './charts.js';
import { pageModel } from './home.js';
import { answer } from './respond.js';

/** Sessions that the page offers to add. */
const MOST_OFFERED = 500;

/**
 * Any number of sessions side by side, as a page or as JSON, by what the address asks for: `sessions` (a,b,… or several
 * times; `without` leaves one out), `lora` (all of its versions) or `changes` (a version and the one before it), `baseline`, `step` of samples, `price` of an hour, `turned`, and what charts take.
 */
export function compareRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs, views, pod } = trackside;

  routes.get('/compare', async (c) => {
    const all = await outputs.list();
    const since = changesOf(c.req.query('changes'), all);
    if (since) return c.redirect(`compare?${since}`, 303);
    const { baseline, turned, lora } = c.req.query();
    const versions = (lora && loraCalled(all, lora)?.versions.toReversed()) || [];
    const charts = shownOf(c);
    const typed = priceOf(c);
    const price = typed ?? pod.price();
    const costOf = (facts: SessionFacts) =>
      facts.attempts.length > 0 ? (pod.cost(facts, price)?.so_far ?? null) : null;
    const asked = { charts, step: numberOf(c.req.query('step')) };
    const { without } = c.req.query();
    const named = [...namesIn(c, new Set(all.map(({ name }) => name))), ...versions.map(({ name }) => name)];
    const sessions = named.filter((name) => name !== without);
    const comparison = await compareSessions(outputs, { ...asked, costOf, sessions, baseline: baseline || null });
    const told = { ...comparison, curves: toldCurves(comparison.curves, charts), price };
    return answer(c, told, async () => {
      const model = await pageModel(trackside, rootOf(c));
      const shown = { ...asked, price, typed: typed !== null, turned: turned ? turned === '1' : null };
      return views.compare({ ...model, comparison, shown, sessions: all.slice(0, MOST_OFFERED) });
    });
  });

  return routes;
}

/** A version, beside the one before it: what `?changes=` asks for. Null where there is none. */
function changesOf(name: string | undefined, all: readonly SessionFacts[]): string | null {
  const own = all.find((facts) => facts.name === name);
  if (!own) return null;
  const before = loraCalled(all, loraKey(own))?.versions.find(({ version }) => version < own.version);
  const names = before ? [before.name, own.name] : [own.name];
  return String(new URLSearchParams(names.map((each): [string, string] => ['sessions', each])));
}

/** A folder's name may have a comma in it. */
function namesIn(c: Context, known: ReadonlySet<string>): string[] {
  const given = c.req.queries('sessions') ?? [];
  return given.flatMap((each) => (known.has(each) ? [each] : each.split(','))).filter(Boolean);
}

function priceOf(c: Context): number | null {
  const price = numberOf(c.req.query('price')?.replace(',', '.'));
  return price !== null && price >= 0 ? price : null;
}
