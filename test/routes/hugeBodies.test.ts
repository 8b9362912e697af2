import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, expect, test } from 'vitest';
import { BUSY } from '../busy.js';
import { appInProcess } from '../inProcess.js';
import { mainThread } from '../mainThread.js';

const { ask, leave } = appInProcess();
afterAll(leave);

const keys = (many: number) => Array.from({ length: many }, (_, at) => `"key${at}":1`).join();
const json = { 'Content-Type': 'application/json' };
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const parts = (many: number) =>
  Array.from(
    { length: many },
    (_, at) => `--b\r\nContent-Disposition: form-data; name="arguments[f${at}]"\r\n\r\n1\r\n`,
  );

test.each([
  ['200,000 flags', json, () => `{"lora_name":"x","arguments":{${keys(200_000)}}}`, 400],
  ['200,000 keys beside the settings', json, () => `{${keys(200_000)}}`, 400],
  ['a list of a million numbers', json, () => `{"lora_name":[${'1,'.repeat(1_000_000)}1]}`, 400],
  [
    '200,000 fields of a form',
    form,
    () => Array.from({ length: 200_000 }, (_, at) => `arguments[f${at}]=1`).join('&'),
    400,
  ],
  [
    '40,000 parts of a form',
    { 'Content-Type': 'multipart/form-data; boundary=b' },
    () => `${parts(40_000).join('')}--b--\r\n`,
    400,
  ],
  ['a million brackets', json, () => `{"a":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`, 400],
  ['brackets that are never closed', json, () => '['.repeat(3_000_000), 400],
  ['a million objects in each other', json, () => `${'{"a":'.repeat(600_000)}1${'}'.repeat(600_000)}`, 400],
  ['2 MB of digits', json, () => `{"lora_name":${'1'.repeat(2_000_000)}}`, 422],
  ['3 MB of spaces', json, () => ' '.repeat(3_000_000), 422],
  ['3 MB of backslashes', json, () => `{"lora_name":"${'\\\\'.repeat(1_500_000)}"}`, 422],
  ['a learning rate of 3 MB', json, () => `{"lora_name":"x","learning_rate":"${'1'.repeat(3_000_000)}x"}`, 422],
  ['a percent sign a million times', form, () => `lora_name=${'%'.repeat(1_000_000)}`, 422],
  ['a flag with a name of a megabyte', json, () => `{"lora_name":"x","arguments":{"${'_'.repeat(1_000_000)}":1}}`, 422],
])('%s are answered at once, in words', async (_, headers, body, status) => {
  const { answer, held } = await heldBy('/sessions', { ...headers, Accept: 'application/json' }, body());
  expect(answer.status).toBe(status);
  const { error } = (await answer.json()) as { error: { message: string } };
  expect(error.message).toMatch(/^\S.{10,500}$/);
  expect(held).toBeLessThan(100 * BUSY);
});

const many = () => `{"training_session":{"lora_name":"x",${keys(100_000)}},"versions":[]}`;
const yaml = '/drafts/from-file?name=a.yaml';

test.each([
  ['a record of 100,000 keys', '/sessions/import', many],
  ['versions beside 100,000 keys', '/loras/x/training_versions.json', many],
  ['a YAML file of brackets', yaml, () => '['.repeat(190_000)],
  ['a YAML file of brackets in pairs', yaml, () => '[]'.repeat(95_000)],
  ['a YAML file of dashes', yaml, () => '- '.repeat(95_000)],
  ['a YAML file whose aliases hold aliases', yaml, () => `a: &a [${'x,'.repeat(50_000)}]\n${nested('a', 'z')}`],
  ['a script of quotes', '/drafts/from-file?name=a.sh', () => '"'.repeat(190_000)],
  ['a script of backslashes', '/drafts/from-file?name=a.sh', () => '\\'.repeat(190_000)],
])('%s holds nobody up', async (_, path, body) => {
  const { answer, held } = await heldBy(path, { ...json, Accept: 'application/json' }, body());
  expect(await answer.json()).toBeTruthy();
  expect(answer.status).toBeLessThan(500);
  expect(held).toBeLessThan(100 * BUSY);
});

/** `b: &b [*a,*a]`, and so on. */
function nested(from: string, to: string): string {
  const letters = Array.from({ length: to.charCodeAt(0) - from.charCodeAt(0) }, (_, at) => from.charCodeAt(0) + at);
  return letters
    .map((code) => String.fromCharCode(code, code + 1))
    .map(([a, b]) => `${b}: &${b} [*${a},*${a}]`)
    .join('\n');
}

/** The answer, and the milliseconds that its making kept the event loop. */
async function heldBy(path: string, headers: Record<string, string>, body: string) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const before = mainThread();
  const answer = await ask(path, { method: 'POST', headers, body });
  const held = Math.min(delay.max / 1e6, mainThread() - before);
  delay.disable();
  return { answer, held };
}
