import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Context, Hono } from 'hono';
import { isObject } from '../files/exactJson.js';
import { inTurn } from '../files/queue.js';
import { badField, Problem } from '../problem.js';
import { rootOf } from '../request.js';
import { blindOrder, readMatrix, readMatrixPictures } from '../sessions/versions/sweeps/matrix.js';
import { startSweep } from '../sessions/versions/sweeps/startSweep.js';
import { listSweeps, readSweep, type Sweep, withVote, writeSweep } from '../sessions/versions/sweeps/sweep.js';
import type { Trackside } from '../trackside.js';
import { pageModel } from './home.js';
import { answer, answerChange, readFields } from './respond.js';
import { sendThumbnail } from './sendSamples.js';

/**
 * `POST /sweeps` `{"session": "cat", "values": {"learning_rate": ["1e-4", "2e-4"], "network_dim": [4, 8]}}`: a version for each
 * combination, in the queue. `GET /sweeps/:id`: the matrix of what became of them. `/vote`: which picture is best, blind.
 */
export function sweepRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { settings, outputs, views } = trackside;
  const pageOfSweep = (c: Context, { id }: Sweep) => `${rootOf(c)}sweeps/${encodeURIComponent(id)}`;

  routes.get('/sweeps', async (c) => {
    const sweeps = await listSweeps(settings);
    return answer(c, sweeps, async () => views.sweeps({ ...(await pageModel(trackside, rootOf(c))), sweeps }));
  });

  routes.post('/sweeps', async (c) => {
    const fields = await readFields(c);
    const session = typeof fields.session === 'string' ? fields.session : '';
    if (!session) throw badField('session', 'Say whose settings to begin from: session.');
    const sweep = await startSweep(trackside, { session, fields: fieldsOf(fields) });
    const page = pageOfSweep(c, sweep);
    return answerChange(c, sweep, { page, status: 201, headers: { Location: page } });
  });

  routes.get('/sweeps/:id', async (c) => {
    const sweep = await readSweep(settings, c.req.param('id'));
    const matrix = await readMatrix(outputs, sweep);
    return answer(c, { ...sweep, ...matrix }, async () =>
      views.sweep({ ...(await pageModel(trackside, rootOf(c))), sweep, matrix }),
    );
  });

  routes.get('/sweeps/:id/vote', async (c) => {
    const sweep = await readSweep(settings, c.req.param('id'));
    const pictures = await readMatrixPictures(outputs, sweep);
    const picture = pictures.find(({ id }) => id === c.req.query('picture')) ?? pictures[0];
    const order = randomBytes(6).toString('hex');
    const count = picture?.files.filter(Boolean).length ?? 0;
    const ballot = { order, picture: picture?.id ?? '', prompt: picture?.prompt ?? '', count };
    return answer(c, ballot, async () =>
      views.vote({ ...(await pageModel(trackside, rootOf(c))), sweep, pictures, ...ballot }),
    );
  });

  // The address tells a place in a shuffled order, and not whose picture it is.
  routes.get('/sweeps/:id/blind/:picture/:order/:place', async (c) => {
    const { id, picture, order, place } = c.req.param();
    const sweep = await readSweep(settings, id);
    const at = await placed(sweep, picture, order, place);
    if (!at) throw new Problem('no_sample', 'There is no such picture in this vote.');
    const { folder, dialect } = await outputs.read(at.session);
    return sendThumbnail(c, outputs.root, join(folder, dialect.samples.folder, at.file));
  });

  routes.post('/sweeps/:id/votes', async (c) => {
    const { picture, order, place } = await readFields(c);
    const id = c.req.param('id');
    const sweep = await inTurn(`sweep ${id}`, async () => {
      const before = await readSweep(settings, id);
      const at = await placed(before, String(picture), String(order), String(place));
      if (!at)
        throw new Problem('no_sample', 'That picture is gone. Load the vote again.', { kept: 'No vote was counted.' });
      const vote = { picture: String(picture), session: at.session, at: new Date().toISOString() };
      const after = withVote(before, vote);
      await writeSweep(settings, after);
      return after;
    });
    return answerChange(c, sweep, { page: `${pageOfSweep(c, sweep)}#votes`, status: 201 });
  });

  return routes;

  /** Whose picture it is; undefined where there is none. */
  async function placed(sweep: Sweep, picture: string, order: string, place: string) {
    const found = (await readMatrixPictures(outputs, sweep)).find(({ id }) => id === picture);
    return found && blindOrder(sweep, found, order)[Number(place)];
  }
}

/** `values` of JSON; or `field_1`, `values_1`, `field_2`, `values_2` of a form. */
function fieldsOf(fields: Record<string, unknown>): Sweep['fields'] {
  if (isObject(fields.values)) {
    return Object.entries(fields.values).map(([name, values]) => ({ name, values: [values].flat().map(String) }));
  }
  return [1, 2].map((at) => ({
    name: String(fields[`field_${at}`] ?? ''),
    values: String(fields[`values_${at}`] ?? '').split(/[\s,;]+/),
  }));
}
