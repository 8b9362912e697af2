import { type Context, Hono } from 'hono';
import { Problem } from '../problem.js';
import { rootOf } from '../request.js';
import { SECRET_NAMES, type SecretName } from '../security/secrets.js';
import type { Trackside } from '../trackside.js';
import { pageModel } from './home.js';
import { answer, answerChange, readFields } from './respond.js';

/** Tokens of other services: which are set, never what they are. Setting and forgetting one. */
export function secretRoutes(trackside: Trackside): Hono {
  const routes = new Hono();
  const { secrets, views } = trackside;

  routes.get('/secrets', (c) =>
    answer(c, secrets.facts(), async () =>
      views.secrets({ ...(await pageModel(trackside, rootOf(c))), secrets: secrets.facts() }),
    ),
  );

  routes.put('/secrets/:name', async (c) => {
    const name = nameOf(c);
    const { value } = await readFields(c, { secret: true });
    if (typeof value !== 'string') throw new Problem('no_value', 'No value was given.');
    await secrets.set(name, value);
    return told(c, name);
  });

  routes.delete('/secrets/:name', async (c) => {
    const name = nameOf(c);
    await secrets.set(name, null);
    return told(c, name);
  });

  function nameOf(c: Context): SecretName {
    const name = SECRET_NAMES.find((each) => each === c.req.param('name'));
    if (!name) throw new Problem('no_secret', `There are only these secrets: ${SECRET_NAMES.join(', ')}.`);
    if (secrets.facts().some((each) => each.name === name && each.from === 'environment')) {
      const message = `${name} is set in Trackside’s environment, which takes precedence. Change it there, and restart Trackside.`;
      throw new Problem('from_environment', message, { about: 'secrets' });
    }
    return name;
  }

  function told(c: Context, name: SecretName): Response {
    const facts = secrets.facts().find((each) => each.name === name);
    return answerChange(c, facts, { page: '../secrets' });
  }

  return routes;
}
