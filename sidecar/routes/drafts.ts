import { type Context, Hono } from 'hono';
import { Problem } from '../problem.js';
import { rootOf } from '../request.js';
import { change } from '../sessions/drafts/draftFile.js';
import {
  draftKey,
  finishDraft,
  listDrafts,
  putDraftBack,
  readDraft,
  type SavedDraft,
  saveDraft,
} from '../sessions/drafts/drafts.js';
import type { Trackside } from '../trackside.js';
import { answerChange, readFields } from './respond.js';
import { withoutDefaults } from './trainerForm.js';

/**
 * `/drafts/:lora`: what is being typed into New training, kept on the pod. A PUT holds all fields, and the `version` (or
 * `If-Match`) and `base` that they began from: what others typed meanwhile is merged, never replaced.
 */
export function draftRoutes(trackside: Trackside): Hono {
  const { outputs } = trackside.settings;
  const routes = new Hono();

  routes.get('/drafts', async (c) => c.json(await listDrafts(outputs)));

  routes.get('/drafts/:lora', async (c) => {
    const draft = await readDraft(outputs, c.req.param('lora'));
    if (!draft) throw new Problem('no_draft', 'There is no draft of this LoRA.');
    return answerDraft(c, draft);
  });

  routes.put('/drafts/:lora', async (c) => {
    const parsed = change.safeParse(await readFields(c));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const where = issue?.path.join('.') || 'The body';
      throw new Problem('bad_draft', `${where}: ${issue?.message}. Send {"fields": {"<name>": "<text>"}} as JSON.`);
    }
    trackside.outputs.requireRoot();
    const match = Number(/^"(\d{1,15})"$/.exec(c.req.header('if-match') ?? '')?.[1] ?? Number.NaN);
    const version = Number.isNaN(match) ? {} : { version: match };
    const { shown, fields, ...more } = parsed.data;
    const typed = shown === undefined ? fields : withoutDefaults(trackside, { ...fields, shown });
    delete typed.shown;
    return answerDraft(c, await saveDraft(outputs, c.req.param('lora'), { ...more, fields: typed, ...version }));
  });

  routes.delete('/drafts/:lora', async (c) => {
    const lora = draftKey(c.req.param('lora'));
    const { form_id } = await readFields(c);
    const cleared = await finishDraft(outputs, lora, typeof form_id === 'string' ? form_id : '');
    const page = `${rootOf(c)}new?${new URLSearchParams({ fresh: '1', reset: cleared ?? lora })}`;
    return answerChange(c, { lora: cleared ?? lora, cleared: cleared !== null }, { page });
  });

  routes.post('/drafts/:lora/undo', async (c) => {
    const draft = await putDraftBack(outputs, c.req.param('lora'));
    return answerChange(c, draft, { page: `${rootOf(c)}new?${new URLSearchParams({ lora: draft.lora })}` });
  });

  return routes;
}

function answerDraft(c: Context, draft: SavedDraft): Response {
  return c.json(draft, 200, { ETag: `"${draft.version}"` });
}
