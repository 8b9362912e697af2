import { Hono } from 'hono';
import { listTrash, restoreFromTrash } from '../datasets/trash.js';
import { answerChange } from './datasetChange.js';

/** `/datasets/:name/trash`: what was put away of a dataset; an entry that is posted to is put back. */
export function trashRoutes(root: string): Hono {
  const routes = new Hono();

  routes.get('/datasets/:name/trash', async (c) => c.json(await listTrash(root, c.req.param('name'))));

  routes.post('/datasets/:name/trash/:entry', async (c) => {
    const { name, entry } = c.req.param();
    const { files, kept } = await restoreFromTrash(root, name, entry);
    const away = kept ? ` What was there instead is in ${kept}.` : '';
    const count = files.length;
    const back = files.every((file) => file.endsWith('.txt')) ? `?undone=${count}#captions` : `?back=${count}`;
    return answerChange(c, name, { files, kept, message: `${files.join(', ')} put back.${away}` }, 200, back);
  });

  return routes;
}
