import { basename, join } from 'node:path';
import { Hono } from 'hono';
import { Problem } from '../problem.js';
import { rootOf } from '../request.js';
import { keptEarlier } from '../sessions/lineage/earlier.js';
import { readMetrics } from '../sessions/products/curve.js';
import { checkpointPath, checkpointsOf, samplesOf, statesOf } from '../sessions/products/products.js';
import { promptsOf } from '../sessions/products/prompts.js';
import type { Trackside } from '../trackside.js';
import { pageModel } from './home.js';
import { answer } from './respond.js';
import { sendFile } from './sendFile.js';
import { sendSample, sendZip } from './sendSamples.js';
import { podFiles } from './sessionPage.js';

/** What a session makes: its metrics, samples, checkpoints and state folders. */
export function productRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs, views, pod } = trackside;

  routes.get('/sessions/:name/metrics', async (c) =>
    c.json(await readMetrics(await outputs.read(c.req.param('name')))),
  );

  routes.get('/sessions/:name/files', async (c) => c.json(await podFiles(await outputs.read(c.req.param('name')))));

  routes.get('/sessions/:name/states', async (c) => c.json(statesOf(await outputs.read(c.req.param('name')))));

  routes.get('/sessions/:name/checkpoints', async (c) =>
    c.json(await checkpointsOf(await outputs.read(c.req.param('name')))),
  );

  // Those of earlier attempts lie in earlier/attempt-1/.
  routes.get('/sessions/:name/checkpoints/:file{.+}', async (c) => {
    const path = await checkpointPath(await outputs.read(c.req.param('name')), c.req.param('file'));
    if (!path) throw new Problem('no_checkpoint', 'There is no such checkpoint in this session.');
    const answer = await sendFile(c, outputs.root, path, {
      type: 'application/octet-stream',
      attachment: basename(path),
    });
    if (!answer.body) return answer;
    // Its last part, if it came in several.
    const isLast = answer.status === 200 || endsAtEnd(answer.headers.get('content-range'));
    const { status, headers } = answer;
    return new Response(pod.downloaded.watch(path, isLast, answer.body), { status, headers });
  });

  routes.get('/sessions/:name/samples', async (c) => {
    const session = await outputs.read(c.req.param('name'));
    const samples = await samplesOf(session);
    return answer(c, samples, async () => {
      const root = rootOf(c);
      const model = await pageModel(trackside, root, session.name);
      const [kept, prompts] = [await keptEarlier(session), await promptsOf(session)];
      const versions = (await outputs.list()).filter(({ lora_name }) => lora_name === session.facts.lora_name);
      return views.samples({ ...model, session: session.facts, samples, kept, prompts, versions });
    });
  });

  routes.get('/sessions/:name/samples/:file', async (c) =>
    sendSample(c, outputs.root, await outputs.read(c.req.param('name'))),
  );

  routes.get('/sessions/:name/samples.zip', async (c) => {
    const session = await outputs.read(c.req.param('name'));
    const folder = join(session.folder, session.dialect.samples.folder);
    return sendZip(c, outputs.root, folder, `${session.name}-samples.zip`, await samplesOf(session));
  });

  return routes;
}

/** "bytes 5-9/10" */
function endsAtEnd(range: string | null): boolean {
  const [, end, size] = /-(\d{1,16})\/(\d{1,16})$/.exec(range ?? '') ?? [];
  return end !== undefined && Number(end) + 1 === Number(size);
}
