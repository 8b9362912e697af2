import { Hono } from 'hono';
import { z } from 'zod';
import { openStream } from '../live/stream.js';
import { rootOf } from '../request.js';
import { dequeue, enqueue } from '../sessions/queue/enqueue.js';
import { changeQueue, queueChange } from '../sessions/queue/order.js';
import { inQueueOrder } from '../sessions/status/queued.js';
import type { Trackside } from '../trackside.js';
import { askedAttempt, flag } from './attempts.js';
import { pageModel } from './home.js';
import { answer, answerChange, pageOfSession, parsed, readFields } from './respond.js';

/** What a queued session will begin with. */
export const askedQueueing = askedAttempt.pick({ max_train_epochs: true, gpus: true }).extend({
  kind: askedAttempt.shape.kind.optional(),
  state: z.string().min(1).nullish(),
  first: flag.optional(),
  held: flag.optional(),
  retry_smaller: flag.optional(),
});

/** The queue: what waits for a GPU, in which order, and for what. A session is put into it, and taken out, at its own address. */
export function queueRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs, hub, views } = trackside;
  const listed = async () => inQueueOrder(await outputs.list());
  const model = async (root: string) => ({ ...(await pageModel(trackside, root)), queued: await listed() });
  const facts = async () => ({
    queue: (await listed()).map(({ name: session, lora_name, version, queue }, index) => {
      return { session, lora_name, version, ...queue, place: index + 1 };
    }),
  });

  routes.get('/queue', async (c) => answer(c, await facts(), async () => views.queue(await model(rootOf(c)))));

  routes.patch('/queue', async (c) => {
    await changeQueue(trackside, parsed('bad_queue', queueChange, await readFields(c)));
    return answerChange(c, await facts(), { page: `${rootOf(c)}queue` });
  });

  routes.get('/queue/events', (c) =>
    openStream(c, hub, {
      key: 'queue',
      concerns: ({ type }) => type === 'session' || type === 'disk' || type === 'logout',
      async draw() {
        const shown = await model('');
        return {
          title: null,
          news: views.news(shown),
          regions: { ...views.around(shown), queue: views.queuePart(shown) },
        };
      },
    }),
  );

  routes.post('/sessions/:name/queue', async (c) => {
    const name = c.req.param('name');
    const fields = await readFields(c);
    const asked = parsed('bad_queue', askedQueueing, fields);
    const { max_train_epochs: maxTrainEpochs, retry_smaller: retrySmaller, ...more } = asked;
    const session = await enqueue(trackside, name, { ...more, maxTrainEpochs, retrySmaller });
    return answerChange(c, session.facts, { page: pageOfSession(c, name, fields), status: 202 });
  });

  routes.delete('/sessions/:name/queue', async (c) => {
    const name = c.req.param('name');
    const fields = await readFields(c);
    const { facts: now } = await dequeue(trackside, name);
    const page = fields.page === 'queue' ? `${rootOf(c)}queue` : pageOfSession(c, name, fields);
    return answerChange(c, now, { page });
  });

  return routes;
}
