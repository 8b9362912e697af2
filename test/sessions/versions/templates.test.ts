import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appInProcess, type InProcess } from '../../inProcess.js';

const standIn = fileURLToPath(new URL('../../sd-scripts/standIn/checkout', import.meta.url));

let here: InProcess;
let there: InProcess;
beforeAll(async () => {
  [here, there] = [appInProcess({ TRACKSIDE_SD_SCRIPTS: standIn }), appInProcess()];
  await here.draft({ lora_name: 'cat', concept_sentence: 'ohwx', learning_rate: '3e-4', network_dim: 12, gpus: '1' });
});
afterAll(() => {
  here.leave();
  there.leave();
});

const json = { 'Content-Type': 'application/json', Accept: 'application/json' };
// biome-ignore lint/suspicious/noExplicitAny: an answer is JSON of any shape, which the test then looks at
type Sent = { status: number; body: any };
async function send(at: InProcess, path: string, body: unknown, method = 'POST'): Promise<Sent> {
  const answer = await at.ask(path, {
    method,
    headers: json,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}
const exported = async (at: InProcess, key: string) => (await at.ask(`/templates/${key}.json`)).text();

test('settings of a session become a template without its pictures, its trigger word and its GPU, and are started from', async () => {
  const { status, body } = await send(here, '/templates', { session: 'cat', name: 'Soft style' });
  expect(status).toBe(201);
  expect(body).toMatchObject({
    key: 'soft-style',
    trainer: 'practice',
    settings: { learning_rate: '3e-4', network_dim: 12 },
  });
  for (const name of ['concept_sentence', 'gpus', 'dataset', 'lora_name'])
    expect(body.settings).not.toHaveProperty(name);
  const form = await (await here.ask('/new?template=soft-style', { headers: { Accept: 'text/html' } })).text();
  expect(form).toMatch(/name="learning_rate"[^>]*value="3e-4"/);
  expect(form).toMatch(/name="network_dim"[^>]*value="12"/);
});

test('export, import on another pod and export again give the same bytes', async () => {
  const first = await exported(here, 'soft-style');
  const { status, body } = await send(there, '/templates/import?name=soft-style.json', first);
  expect([status, body.not_taken]).toEqual([201, []]);
  expect(await exported(there, 'soft-style')).toBe(first);
  // Twice is once.
  expect((await send(there, '/templates/import?name=soft-style.json', first)).status).toBe(201);
  const { status: taken, body: refused } = await send(there, '/templates', { name: 'soft STYLE', network_dim: 4 });
  expect([taken, refused.error.code]).toEqual([409, 'name_taken']);
  expect((await send(there, '/templates', { name: 'soft style', network_dim: 4, replace: true })).status).toBe(201);
});

test('the shipped presets are templates too: listed, started from and exported', async () => {
  const all = await (await here.ask('/templates', { headers: json })).json();
  const shipped = (all as { key: string; shipped: boolean }[]).filter((each) => each.shipped);
  expect(shipped.map(({ key }) => key)).toContain('shipped-sd-scripts-flux-16g');
  const text = await exported(here, 'shipped-sd-scripts-flux-16g');
  expect(JSON.parse(text)).toMatchObject({
    trainer: 'sd-scripts/flux',
    settings: { vram: '16G' },
    arguments: { fp8_base: true },
  });
  expect(
    await (await here.ask('/new?template=shipped-sd-scripts-flux-16g', { headers: { Accept: 'text/html' } })).text(),
  ).toContain('value="16G" selected');
  const renamed = text.replace(/"name": "[^"]+"/, '"name": "My flux"');
  expect((await send(here, '/templates/import?name=x.json', renamed)).body.not_taken).toEqual([]);
  expect(JSON.parse(await exported(here, 'my-flux')).arguments).toEqual(JSON.parse(text).arguments);
  const page = await (await here.ask('/templates', { headers: { Accept: 'text/html' } })).text();
  expect(page).toContain('Shipped with Trackside');
});

test('the form of a new training is saved as a template', async () => {
  const form = new URLSearchParams({
    trainer: 'practice',
    template: 'From the form',
    lora_name: 'x',
    network_dim: '9',
    shown: 'practice',
  });
  const answer = await here.ask('/templates', { method: 'POST', body: form, headers: { Accept: 'text/html' } });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, 'templates']);
  expect(JSON.parse(await exported(here, 'from-the-form')).settings).toMatchObject({ network_dim: 9 });
  expect((await send(here, '/templates/from-the-form', {}, 'DELETE')).status).toBe(200);
  expect((await here.ask('/templates/from-the-form.json')).status).toBe(404);
});

const hostile = {
  format: 'trackside template 1',
  name: 'Evil',
  trainer: 'sd-scripts/flux',
  settings: { network_dim: 4, lora_name: '../../x', learning_rate: 'rm -rf' },
  arguments: {
    network_module: 'os.system',
    output_dir: '/etc',
    ae: '/etc/shadow',
    huggingface_token: 'abc',
    log_prefix: '../x',
  },
  created_at: '2026-01-01T00:00:00.000Z',
};

test('an import takes no path, no code and no secret, and says so; what is no template is refused', async () => {
  const { status, body } = await send(here, '/templates/import?name=evil.json', hostile);
  expect(status).toBe(201);
  expect(body.arguments).toEqual({});
  expect(body.settings).toEqual({ network_dim: 4 });
  expect(body.not_taken.map(({ from }: { from: string }) => from).sort()).toEqual(
    [
      'arguments.ae',
      'arguments.huggingface_token',
      'arguments.log_prefix',
      'arguments.network_module',
      'arguments.output_dir',
      'learning_rate',
    ].sort(),
  );
  expect(await exported(here, 'evil')).not.toMatch(/etc|abc|os\.system/);
  expect((await send(here, '/templates/import?name=a.json', '{"a": 1}')).body.error.code).toBe('bad_template');
  expect((await send(here, '/templates/import?name=a.json', { ...hostile, name: '../..' })).body.error.field).toBe(
    'name',
  );
  expect((await here.ask('/templates/..%2f..%2fui_state.json')).status).toBe(404);
});
