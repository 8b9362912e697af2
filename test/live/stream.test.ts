import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { createHub, type Hub } from '../../sidecar/live/hub.js';
import { openStream } from '../../sidecar/live/stream.js';
import { Problem } from '../../sidecar/problem.js';

/** A hub that can be asked how many listen. */
function countedHub(): Hub & { listening(): number } {
  const hub = createHub();
  let listening = 0;
  return {
    tell: hub.tell,
    join(listener) {
      listening += 1;
      const leave = hub.join(listener);
      return () => {
        listening -= 1;
        leave();
      };
    },
    listening: () => listening,
  };
}

const shown = { title: null, regions: { banner: { html: 'nothing runs', lists: new Map() } } };

test('a page that goes away is forgotten', async () => {
  const hub = countedHub();
  const app = new Hono().get('/events', (c) =>
    openStream(c, hub, { key: 'page', draw: async () => shown, concerns: () => true }),
  );
  const reader = (await app.request('/events')).body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toContain('nothing runs');
  expect(hub.listening()).toBe(1);
  await reader?.cancel();
  await expect.poll(hub.listening).toBe(0);
});

test('a page whose session was deleted ends, and is forgotten', async () => {
  const hub = countedHub();
  const draw = async () => {
    throw new Problem('no_session', 'There is no session called cat.');
  };
  const app = new Hono().get('/events', (c) => openStream(c, hub, { key: 'page', draw, concerns: () => true }));
  expect(await (await app.request('/events')).text()).toBe('');
  expect(hub.listening()).toBe(0);
});
