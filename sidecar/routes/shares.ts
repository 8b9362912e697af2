import { Hono } from 'hono';
import { z } from 'zod';
import { refuseUnknown } from '../nearestName.js';
import { Problem } from '../problem.js';
import { rootOf } from '../request.js';
import { LONGEST_HOURS, type Share, type Shares } from '../security/shares.js';
import type { Trackside } from '../trackside.js';
import { pageModel } from './home.js';
import { answer, answerChange, readFields } from './respond.js';

const HOURS = `Enter hours, 1 to ${LONGEST_HOURS}.`;

/** A link that is asked for: of one session, or of one LoRA. */
export const askedShare = z.object({
  session: z.string().optional(),
  lora: z.string().optional(),
  hours: z.coerce.number(HOURS).min(1, HOURS).max(LONGEST_HOURS, HOURS).default(72),
});

/** Read-only links for colleagues, as their owner sees them. What they open is in shared.ts. */
export function shareRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { outputs, views } = trackside;

  const factsOf = (shares: Shares) => (share: Share) => {
    const path = `shared/${shares.keyOf(share)}`;
    return { ...share, path, url: trackside.pageAt(path) };
  };

  routes.get('/shares', async (c) => {
    const facts = trackside.shares?.list().map(factsOf(trackside.shares)) ?? [];
    return answer(c, facts, async () => {
      const names = await outputs.list();
      const model = { ...(await pageModel(trackside, rootOf(c))), shares: facts, login: trackside.shares !== null };
      return views.shares({
        ...model,
        sessions: names.map(({ name }) => name),
        loras: [...new Set(names.map(({ lora_name }) => lora_name))],
        chosen: c.req.query('session') ?? '',
      });
    });
  });

  routes.post('/shares', async (c) => {
    const shares = required(trackside);
    const fields = await readFields(c);
    refuseUnknown(fields, [...Object.keys(askedShare.shape), 'page']);
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
    const parsed = askedShare.safeParse(given);
    if (!parsed.success) throw new Problem('bad_share', parsed.error.issues[0]?.message ?? '', { field: 'hours' });
    const { session, lora, hours } = parsed.data;
    const made = await shares.make(...(await aboutOf(trackside, session, lora)), hours);
    return answerChange(c, factsOf(shares)(made), { page: 'shares', status: 201 });
  });

  routes.delete('/shares/:id', async (c) => {
    const revoked = await required(trackside).revoke(c.req.param('id'));
    return answerChange(c, revoked, { page: '../shares' });
  });

  return routes;
}

async function aboutOf(
  { outputs }: Trackside,
  session: string | undefined,
  lora: string | undefined,
): Promise<[Share['about'], string]> {
  if ((session === undefined) === (lora === undefined))
    throw new Problem('bad_share', 'Choose a session or a LoRA, one of them.', { field: 'session' });
  if (session !== undefined) return ['session', (await outputs.read(session)).name];
  if ((await outputs.list()).some((each) => each.lora_name === lora)) return ['lora', lora ?? ''];
  throw new Problem('bad_share', `There is no LoRA called ${lora}.`, { field: 'lora' });
}

function required({ shares }: Trackside): Shares {
  if (shares) return shares;
  const message =
    'Trackside runs without a login (--no-login), and answers this machine only: nobody else could open a link.';
  throw new Problem('no_login', message);
}
