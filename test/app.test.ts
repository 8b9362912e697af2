import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { appInProcess, type InProcess } from './inProcess.js';

const apps: InProcess[] = [];
afterEach(() => {
  for (const app of apps.splice(0)) app.leave();
});

function two(): [InProcess, InProcess] {
  const pair: [InProcess, InProcess] = [appInProcess(), appInProcess()];
  apps.push(...pair);
  return pair;
}

test('two Tracksides in one process keep sessions and forms apart', async () => {
  const [one, other] = two();
  const form = { lora_name: 'cat', form_id: 'the same form' };
  await Promise.all([one.draft(form), other.draft(form), other.draft({ lora_name: 'dog' })]);
  for (const app of [one, other]) {
    expect((await app.ask('/sessions/cat')).status).toBe(200);
    expect((await app.ask('/sessions/cat-v2')).status).toBe(404);
  }
  expect((await one.ask('/sessions/dog')).status).toBe(404);
});

test('two Tracksides in one process mask the secrets of both', async () => {
  const [one, other] = two();
  const values = ['zq8Jf0aK1mT6-first', 'zq8Jf0aK1mT6-other'];
  for (const [at, app] of [one, other].entries()) {
    const body = JSON.stringify({ value: values[at] });
    const headers = { 'Content-Type': 'application/json' };
    expect((await app.ask('/secrets/HF_TOKEN', { method: 'PUT', headers, body })).status).toBe(200);
  }
  await one.draft({ lora_name: 'cat' });
  const path = join(one.settings.outputs, 'cat', 'ui_state.json');
  const state = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...state, notes: `it is ${values.join(' or ')}` }));
  const { notes } = (await (await one.ask('/sessions/cat')).json()) as { notes: string };
  expect(notes).toMatch(/^it is \S+ or \S+$/);
  for (const value of values) expect(notes).not.toContain(value);
});
