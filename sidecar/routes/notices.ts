import { type Context, Hono } from 'hono';
import { openStream } from '../live/stream.js';
import { refuseUnknown } from '../nearestName.js';
import { noticeFacts } from '../notices/facts.js';
import { readNoticeChanges } from '../notices/noticeChanges.js';
import { channelOf } from '../notices/noticeSettings.js';
import { testNotice } from '../notices/testNotice.js';
import { Undelivered } from '../notices/undelivered.js';
import { Problem } from '../problem.js';
import { rootOf, wantsPage } from '../request.js';
import type { Trackside } from '../trackside.js';
import type { NoticesModel } from '../views/notices.js';
import { pageModel } from './home.js';
import { answer, answerChange, readFields, wrongInForm } from './respond.js';

/** How people who are elsewhere are told: the channels, of what, when, and what was sent. */
export function noticeRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { noticeStore: store, outbox, ping, views, hub } = trackside;

  const facts = () => noticeFacts(store, outbox, ping);
  const model = async (root: string, more: Partial<NoticesModel> = {}): Promise<NoticesModel> => ({
    ...(await pageModel(trackside, root)),
    told: await facts(),
    detected: trackside.settings.pod.address(trackside.settings.port) ?? '',
    said: null,
    values: {},
    errors: {},
    ...more,
  });

  routes.get('/notices', async (c) =>
    answer(c, await facts(), async () => {
      const said = { tested: 'The test was sent.', saved: 'Saved.' }[c.req.query('done') ?? ''] ?? null;
      return views.notices(await model(rootOf(c), { said, about: c.req.query('channel') ?? null }));
    }),
  );

  routes.get('/notices/events', (c) =>
    openStream(c, hub, {
      key: 'notices',
      concerns: ({ type }) => !['log', 'publication', 'machine', 'models', 'pod'].includes(type),
      async draw() {
        const shown = await model('');
        return {
          title: null,
          news: views.news(shown),
          regions: { ...views.around(shown), sent: views.sentNotices(shown) },
        };
      },
    }),
  );

  routes.put('/notices/channels/:id', (c) =>
    orOnPage(c, c.req.param('id'), async (fields) => {
      const { id, fields: known } = channelOf(c.req.param('id'));
      refuseUnknown(
        fields,
        known.map(({ name }) => name),
      );
      const typed = Object.entries(fields).map(([name, value]) => [name, String(value ?? '')]);
      await store.setChannel(id, Object.fromEntries(typed));
      return back(c, id, 'saved');
    }),
  );

  routes.delete('/notices/channels/:id', async (c) => {
    const { id } = channelOf(c.req.param('id'));
    await store.removeChannel(id);
    return back(c, id, 'saved');
  });

  routes.post('/notices/channels/:id/test', async (c) => {
    const { id, name } = channelOf(c.req.param('id'));
    if (!store.now().channels[id]?.on) throw new Problem('no_channel', `${name} is not set up yet.`);
    try {
      await outbox.test(id, testNotice(trackside.pageAt('')));
    } catch (error) {
      if (!(error instanceof Undelivered)) throw error;
      const message = `${name}: ${error.message}`;
      if (!wantsPage(c)) throw new Problem('not_delivered', message);
      return c.html(views.notices(await model(rootOf(c), { errors: { [id]: message }, about: id })), 502);
    }
    return back(c, id, 'tested');
  });

  routes.patch('/notices', (c) =>
    orOnPage(c, '', async (fields) => {
      await store.edit(readNoticeChanges(fields, store.now()));
      return back(c, null, 'saved');
    }),
  );

  routes.post('/notices/sent/:id{.+}/tries', async (c) => {
    if (!(await outbox.again(c.req.param('id')))) throw new Problem('no_notice', 'There is no such notice any more.');
    return back(c, null, 'saved', '#sent');
  });

  async function back(c: Context, channel: string | null, done: string, at = ''): Promise<Response> {
    const query = new URLSearchParams({ done, ...(channel ? { channel } : {}) });
    const page = `${rootOf(c)}notices?${query}${channel ? `#${channel}` : at}`;
    return answerChange(c, wantsPage(c) ? null : await facts(), { page });
  }

  /** A wrong value of a form comes back on the page, beside its field; secrets have to be typed again. */
  async function orOnPage(
    c: Context,
    about: string,
    work: (fields: Record<string, unknown>) => Promise<Response>,
  ): Promise<Response> {
    const fields = await readFields(c, { secret: true });
    try {
      return await work(fields);
    } catch (error) {
      const { values, errors, status } = wrongInForm(c, error, fields);
      const own = (all: Record<string, string>) =>
        Object.fromEntries(Object.entries(all).map(([name, value]) => [about ? `${about}.${name}` : name, value]));
      return c.html(views.notices(await model(rootOf(c), { values: own(values), errors: own(errors), about })), status);
    }
  }

  return routes;
}
