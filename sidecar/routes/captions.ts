import { type Context, Hono } from 'hono';
import { changeCaptions, countTags } from '../datasets/bulkCaptions.js';
import { LONGEST_CAPTION, saveCaption } from '../datasets/caption.js';
import { captionChange } from '../datasets/changeCaption.js';
import { readDataset } from '../datasets/read.js';
import { receiveShort } from '../datasets/receive.js';
import { jsonOrNull } from '../files/exactJson.js';
import { log } from '../log.js';
import { Problem } from '../problem.js';
import { wantsPage } from '../request.js';
import { isForm, takeBody, typeOf } from './body.js';
import { answerChange } from './datasetChange.js';

/**
 * `/datasets/:name/captions/:stem`: the caption of the pictures of this stem, as text or as a form's field;
 * `/datasets/:name/captions`: all of them, with their tags, and a change of all at once.
 */
export function captionRoutes(root: string): Hono {
  const routes = new Hono();

  routes.put('/datasets/:name/captions/:stem', async (c) => {
    const { name, stem } = c.req.param();
    const body = await takeBody(c, (chunks) => receiveShort(chunks, `${stem}.txt`, LONGEST_CAPTION));
    const saved = await saveCaption(root, name, stem, isForm(c) ? captionField(c, body) : body, 'edit');
    return answerChange(c, name, saved, saved.outcome === 'created' ? 201 : 200);
  });

  routes.get('/datasets/:name/captions', async (c) => {
    const detail = await readDataset(root, c.req.param('name'));
    const captions = detail.files.map(({ file, caption }) => ({ file, caption }));
    return c.json({ captions, tags: countTags(detail) });
  });

  routes.post('/datasets/:name/captions', async (c) => {
    const name = c.req.param('name');
    const body = (await takeBody(c, (chunks) => receiveShort(chunks, 'The change', 20_000))).toString();
    const sent = isForm(c) ? Object.fromEntries(new URLSearchParams(body)) : jsonOrNull(body);
    const parsed = captionChange.safeParse(sent);
    if (!parsed.success) throw new Problem('bad_request', HOW_TO_CHANGE);
    const done = await changeCaptions(root, name, parsed.data);
    log.info('datasets', 'Captions were changed.', { dataset: name, do: parsed.data.do, changed: done.changed });
    if (!wantsPage(c) || !isForm(c)) return c.json(done);
    const query = new URLSearchParams({ changed: String(done.changed), ...(done.entry ? { entry: done.entry } : {}) });
    return c.body(null, 303, { Location: `../${encodeURIComponent(name)}?${query}#captions` });
  });

  return routes;
}

const HOW_TO_CHANGE =
  'Say what to do with all captions: {"do": "add", "word": "…"}, {"do": "remove", "word": "…"}, or {"do": "replace", "find": "…", "with": "…"}.';

/** The field of a form, whose lines browsers end with CR and LF. */
function captionField(c: Context, body: Buffer): Buffer {
  const caption = typeOf(c) === 'multipart/form-data' ? null : new URLSearchParams(body.toString()).get('caption');
  if (caption !== null) return Buffer.from(caption.replace(/\r\n/g, '\n'));
  throw new Problem('bad_request', 'Send the caption as text/plain, or as the field “caption” of a plain form.');
}
