import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../sidecar/app.js';
import { problemStatus } from '../../sidecar/problemStatus.js';
import { apiRoutes } from '../../sidecar/routes/described/document.js';
import { refusal } from '../../sidecar/routes/described/facts.js';
import { describedParts } from '../../sidecar/routes/described/routes.js';
import { createTrackside } from '../../sidecar/trackside.js';
import { appInProcess, type InProcess } from '../inProcess.js';

let house: InProcess;
beforeAll(async () => {
  house = appInProcess();
  await house.draft({ lora_name: 'cat', sample_prompts: 'a cat' });
});
afterAll(() => house.leave());

const asJson = { headers: { Accept: 'application/json' } };

test('every route of the app is described, and nothing else is', () => {
  const { routes } = createApp(createTrackside({ ...house.settings, login: true }));
  const app = routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`);
  const described = Object.values(describedParts).flatMap((part) => Object.keys(part));
  expect(described.toSorted()).toEqual([...new Set(app)].toSorted());
});

type OpenApi = {
  openapi: string;
  paths: Record<string, Record<string, { operationId: string }>>;
  components: Record<string, Record<string, { required?: string[] }>>;
  'x-error-codes': Record<string, number>;
};

test('openapi.json has every route with its parameters, and schemas that exist', async () => {
  const answer = await house.ask('/openapi.json', asJson);
  const document = (await answer.json()) as OpenApi;
  expect(document.openapi).toBe('3.1.0');
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  expect(operations.length).toBe(apiRoutes.length);
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const references = new Set(JSON.stringify(document).match(/#\/components\/[^"]+/g));
  for (const each of references) {
    const [, part, , name] = /components\/(schemas|responses)(\/)(.+)/.exec(each) ?? [];
    expect(document.components[part ?? ''], each).toHaveProperty([name ?? '']);
  }
  expect(document['x-error-codes']).toMatchObject(problemStatus);
  expect(document.components.schemas?.Session?.required).toContain('loss_curve');
});

test('what is answered is what is described: each fact that can be asked for, and each refusal', async () => {
  let facts = 0;
  const wrong: unknown[] = [];
  for (const { method, path, answers } of apiRoutes) {
    if (method !== 'GET' || Object.values(answers).some((each) => 'media' in each)) continue;
    const address = path
      .replace('/datasets/:name', '/datasets/example')
      .replace('/trainers/:id{.+}', '/trainers/practice')
      .replace(/:\w+(\{[^}]+\})?/g, 'cat');
    const answer = await house.ask(address, asJson);
    const shape = answer.ok ? answers[answer.status as 200] : refusal;
    expect(shape, `${address} ${answer.status}`).toBeInstanceOf(z.ZodType);
    const parsed = (shape as z.ZodType).safeParse(await answer.json());
    if (parsed.error) wrong.push([address, answer.status, parsed.error.issues]);
    if (answer.ok) facts += 1;
  }
  expect(wrong).toEqual([]);
  expect(facts).toBeGreaterThan(20);
});

test('an address that exists says which methods it has, to those that ask with another one', async () => {
  const answer = await house.ask('/sessions/cat/states', { ...asJson, method: 'DELETE' });
  expect([answer.status, answer.headers.get('Allow')]).toEqual([405, 'GET']);
  expect(await answer.json()).toMatchObject({ error: { code: 'not_allowed' } });
  expect((await house.ask('/nowhere', { ...asJson, method: 'DELETE' })).status).toBe(404);
});

test('the page of the API names every route and every code', async () => {
  const html = await (await house.ask('/api', { headers: { Accept: 'text/html' } })).text();
  const signs: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };
  const page = html.replace(/&(?:amp|lt|gt|quot|#39);/g, (sign) => signs[sign] ?? sign);
  for (const { summary } of apiRoutes) expect(page).toContain(`${summary}.`);
  for (const code of Object.keys(problemStatus)) expect(page).toContain(`<code>${code}</code>`);
});
