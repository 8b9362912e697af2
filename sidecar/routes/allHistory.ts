import { type Context, Hono } from 'hono';
import { rootOf } from '../request.js';
import { CHOICES, COLUMNS, findHistory, type HistoryQuery } from '../sessions/outputs/history.js';
import type { Trackside } from '../trackside.js';
import { pageModel } from './home.js';
import { answer } from './respond.js';

/** All sessions, 20 per page: searched, filtered and sorted by what the address says. */
export function allHistoryRoutes(trackside: Trackside): Hono {
  const routes = new Hono();

  routes.get('/history', async (c) => {
    const query = queryOf(c);
    const found = findHistory(await trackside.outputs.list(), query, new Date());
    return answer(c, { ...found, query }, async () => {
      const model = await pageModel(trackside, rootOf(c));
      return trackside.views.allHistory({ ...model, ...found, query });
    });
  });

  return routes;
}

/** What cannot be meant is left out: an address that somebody typed still shows something. */
function queryOf(c: Context): HistoryQuery {
  const of = (name: string) => (c.req.query(name) ?? '').slice(0, 300).trim();
  const day = (name: string) => (/^\d{4}-\d\d-\d\d$/.test(of(name)) ? of(name) : '');
  const sort = COLUMNS.find((each) => each === of('sort')) ?? 'date';
  const order = of('order');
  return {
    q: of('q'),
    chosen: Object.fromEntries(CHOICES.flatMap((column) => (of(column) ? [[column, of(column)]] : []))),
    from: day('from'),
    to: day('to'),
    sort,
    descending: order === 'desc' || (order !== 'asc' && sort === 'date'),
    page: Math.trunc(Number(of('page'))) || 1,
  };
}
