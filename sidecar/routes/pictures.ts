import { Readable } from 'node:stream';
import { type Context, Hono } from 'hono';
import { type OpenPicture, openPicture } from '../datasets/folder.js';
import { revisionOf } from '../datasets/picture.js';
import { PictureProblem } from '../datasets/pictureProblem.js';
import { LARGEST_PICTURE, tooLarge } from '../datasets/receive.js';
import { removePicture, savePicture } from '../datasets/savePicture.js';
import { thumbnail } from '../datasets/thumbnails.js';
import { turnUpright } from '../datasets/upright.js';
import { Problem } from '../problem.js';
import { wantsPage } from '../request.js';
import { takeBody } from './body.js';
import { answerChange } from './datasetChange.js';

/** `/datasets/:name/images/:file`: a picture as one raw body, and its thumbnail; `/datasets/:name/upright` turns some. */
export function pictureRoutes(root: string): Hono {
  const routes = new Hono();

  routes.get('/datasets/:name/images/:file', async (c) => {
    const { name, file } = c.req.param();
    return answerPicture(c, file, await openPicture(root, name, file));
  });

  routes.put('/datasets/:name/images/:file', async (c) => {
    const { name, file } = c.req.param();
    if (Number(c.req.header('content-length')) > LARGEST_PICTURE) throw tooLarge(file, LARGEST_PICTURE);
    const saved = await takeBody(c, (chunks) => savePicture(root, name, file, chunks));
    return answerChange(c, name, saved, saved.created ? 201 : 200);
  });

  routes.delete('/datasets/:name/images/:file', async (c) => {
    const { name, file } = c.req.param();
    const { kept, files } = await removePicture(root, name, file);
    const message = `${files.join(' and ')} ${files.length > 1 ? 'were' : 'was'} moved to ${kept} in the datasets folder.`;
    return answerChange(c, name, { kept, files, message });
  });

  routes.post('/datasets/:name/upright', async (c) => {
    const name = c.req.param('name');
    const done = await turnUpright(root, name);
    const query = new URLSearchParams({ upright: String(done.turned.length), left: String(done.failed.length) });
    return wantsPage(c) ? c.redirect(`../${encodeURIComponent(name)}?${query}`, 303) : c.json(done);
  });

  return routes;
}

/** The picture or, with `?size=thumb`, its thumbnail; for ever cacheable at an address that holds its revision. */
async function answerPicture(c: Context, file: string, picture: OpenPicture): Promise<Response> {
  const revision = revisionOf(picture);
  let streaming = false;
  try {
    const preview = c.req.query('size') === 'thumb' ? await thumbnail(picture.file, picture.path, revision) : null;
    const tag = `"${revision}${preview ? '-thumb' : ''}"`;
    const current = c.req.query('revision') === revision;
    c.header('ETag', tag);
    c.header('Cache-Control', current ? 'private, max-age=31536000, immutable' : 'private, no-cache');
    c.header('X-Content-Type-Options', 'nosniff');
    if (c.req.header('if-none-match') === tag) return c.body(null, 304);
    c.header('Content-Type', preview ? 'image/webp' : typeByEnding(file));
    c.header('Content-Length', `${preview?.length ?? picture.bytes}`);
    if (preview) return c.body(new Uint8Array(preview));
    if (c.req.method === 'HEAD') return c.body(null);
    streaming = true;
    return c.body(Readable.toWeb(picture.handle.createReadStream()) as ReadableStream);
  } catch (error) {
    if (!(error instanceof PictureProblem)) throw error;
    throw new Problem('not_decodable', `${file} can't be shown: ${error.message}`);
  } finally {
    if (!streaming) await picture.handle.close();
  }
}

/** Never what the content claims to be. */
function typeByEnding(file: string): string {
  const ending = file.slice(file.lastIndexOf('.') + 1).toLowerCase();
  return `image/${ending === 'jpg' ? 'jpeg' : ending}`;
}
