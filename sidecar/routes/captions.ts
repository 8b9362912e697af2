import { type Context, Hono } from 'hono';
import { LONGEST_CAPTION, saveCaption } from '../datasets/caption.js';
import { receiveShort } from '../datasets/receive.js';
import { Problem } from '../problem.js';
import { isForm, takeBody, typeOf } from './body.js';
import { answerChange } from './datasetChange.js';

/** `/datasets/:name/captions/:stem`: the caption of the pictures of this stem, as text or as a form's field. */
export function captionRoutes(root: string): Hono {
  const routes = new Hono();

  routes.put('/datasets/:name/captions/:stem', async (c) => {
    const { name, stem } = c.req.param();
    const body = await takeBody(c, (chunks) => receiveShort(chunks, `${stem}.txt`, LONGEST_CAPTION));
    const saved = await saveCaption(root, name, stem, isForm(c) ? captionField(c, body) : body, 'edit');
    return answerChange(c, name, saved, saved.outcome === 'created' ? 201 : 200);
  });

  return routes;
}

/** The field of a form, whose lines browsers end with CR and LF. */
function captionField(c: Context, body: Buffer): Buffer {
  const caption = typeOf(c) === 'multipart/form-data' ? null : new URLSearchParams(body.toString()).get('caption');
  if (caption !== null) return Buffer.from(caption.replace(/\r\n/g, '\n'));
  throw new Problem('bad_request', 'Send the caption as text/plain, or as the field “caption” of a plain form.');
}
