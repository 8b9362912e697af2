import { afterAll, beforeAll, expect, test } from 'vitest';
import { appInProcess } from '../inProcess.js';

const { ask, draft, leave } = appInProcess();
beforeAll(() => draft({ lora_name: 'cat' }));
afterAll(leave);

const form = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' };
const described = async () => ((await (await ask('/sessions/cat')).json()) as { description: string }).description;

test('a form changes and deletes by naming the method in its address', async () => {
  const body = 'description=of+my+own';
  const changed = await ask('/sessions/cat?_method=PATCH', { method: 'POST', headers: form, body });
  expect([changed.status, await described()]).toEqual([303, 'of my own']);
  expect((await ask('/sessions/cat?_method=DELETE', { method: 'POST', headers: form })).status).toBe(303);
  expect((await ask('/sessions/cat')).status).toBe(404);
});

test('no other method can be named, and nothing but a form that posts can name one', async () => {
  await draft({ lora_name: 'cat' });
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'nonsense', 'delete'])
    expect([method, (await ask(`/sessions/cat?_method=${method}`, { method: 'POST' })).status]).toEqual([method, 405]);
  for (const method of ['GET', 'HEAD']) await ask('/sessions/cat?_method=DELETE', { method });
  expect((await ask('/sessions/cat')).status).toBe(200);
});
