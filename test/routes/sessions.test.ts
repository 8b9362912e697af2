import { readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeTestSidecars, quick, type Sidecar } from '../sidecar.js';

const place = makeTestSidecars();
let sidecar: Sidecar;
let http: ReturnType<typeof supertest>;

beforeAll(async () => {
  sidecar = await place.serve();
  http = supertest(sidecar.url.replace(/\/$/, ''));
  const settings = { ...quick, max_train_epochs: 3, sample_prompts: 'a cat --d 7 --s 1', sample_every_n_steps: 10 };
  await sidecar.send('POST', 'sessions', { ...settings, lora_name: 'cat', start: true });
  await sidecar.until('cat', (facts) => facts.status === 'completed');
});
afterAll(() => place.leave());

const page = { Accept: 'text/html' };

describe('reading', () => {
  test('healthz says who we are', async () => {
    const { body } = await http.get('/healthz').expect(200);
    expect(body).toEqual({ status: 'ok', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
  });

  test('a browser gets pages, everything else facts', async () => {
    for (const path of ['/', '/sessions', '/sessions/cat', '/sessions/cat/samples', '/datasets', '/datasets/example']) {
      const html = await http.get(path).set(page).expect(200);
      expect([path, html.type]).toEqual([path, 'text/html']);
      const json = await http.get(path).set('Accept', 'application/json').expect(200);
      expect([path, json.type]).toEqual([path, 'application/json']);
    }
    expect((await http.get('/new').set(page).expect(200)).text).toContain('name="lora_name"');
  });

  test('a session has the fields that scripts rely on', async () => {
    const { body } = await http.get('/sessions/cat');
    const names = `name lora_name version trainer status interrupted reason description output_path dataset_path log_path
      final_checkpoint timestamp progress attempts resume settings`;
    for (const name of names.split(/\s+/)) expect(body).toHaveProperty(name);
    for (const name of 'phase step total_steps epoch epochs percent loss seconds_per_step eta_seconds updated_at'.split(
      ' ',
    ))
      expect(body.progress).toHaveProperty(name);
    for (const name of 'number kind started_at ended_at launcher pid alive resumed_from first_epoch step_offset exit_code signal reason'.split(
      ' ',
    ))
      expect(body.attempts[0]).toHaveProperty(name);
    const { attempts } = JSON.parse(readFileSync(join(place.outputs, 'cat', 'ui_state.json'), 'utf8'));
    const job = { launcher: 'local', attempt: attempts[0].id, id: expect.stringMatching(/^\d+$/), cluster: null };
    expect(attempts[0].job).toEqual(job);
    expect(body.final_checkpoint).toBe(join(place.outputs, 'cat', 'cat.safetensors'));
    expect(body.settings).toMatchObject({ network_dim: 4, learning_rate: '4e-3', seed: 42 });
  });

  test('states, checkpoints, samples and metrics are told with absolute epochs and steps', async () => {
    const states = (await http.get('/sessions/cat/states')).body;
    expect(
      states.map((each: { name: string; epoch: number; step: number }) => [each.name, each.epoch, each.step]),
    ).toEqual([
      ['cat-state', 3, 30],
      ['cat-000002-state', 2, 20],
      ['cat-000001-state', 1, 10],
    ]);
    const checkpoints = (await http.get('/sessions/cat/checkpoints')).body;
    expect(checkpoints.map((each: { name: string; step: number }) => [each.name, each.step])).toEqual([
      ['cat.safetensors', 30],
      ['cat-000002.safetensors', 20],
      ['cat-000001.safetensors', 10],
    ]);
    const samples = (await http.get('/sessions/cat/samples').set('Accept', 'application/json')).body;
    expect(samples.map((each: { step: number; seed: string }) => [each.step, each.seed])).toEqual([
      [30, '7'],
      [20, '7'],
      [10, '7'],
    ]);
    const picture = await http.get(`/sessions/cat/samples/${samples[0].name}`).expect(200);
    expect(picture.type).toBe('image/png');
    const losses = (await http.get('/sessions/cat/metrics')).body.filter(
      (each: { tag: string }) => each.tag === 'loss/current',
    );
    expect(losses.map((each: { step: number }) => each.step)).toEqual(
      Array.from({ length: 30 }, (_, step) => step + 1),
    );
  });

  test('the log is told whole, by its tail, by attempt and by range', async () => {
    const whole = (await http.get('/sessions/cat/log').expect(200)).text;
    expect(whole).toContain('epoch 3/3');
    const tail = (await http.get('/sessions/cat/log?tail=2')).text;
    expect(tail.split('\n').filter(Boolean)).toHaveLength(2);
    expect((await http.get('/sessions/cat/log?attempt=1')).text).toContain('running training');
    await http.get('/sessions/cat/log?attempt=9').expect(404);
    const part = await http.get('/sessions/cat/log').set('Range', 'bytes=0-9').expect(206);
    expect(part.text).toBe(Buffer.from(whole).subarray(0, 10).toString());
    await http.get('/sessions/cat/log').set('Range', 'bytes=99999999-').expect(416);
  });

  test('a checkpoint is downloaded as a file of its name; other files of the folder are not', async () => {
    const file = await http.get('/sessions/cat/checkpoints/cat.safetensors').buffer(true).expect(200);
    expect(file.headers['content-disposition']).toContain("filename*=UTF-8''cat.safetensors");
    for (const other of ['ui_state.json', 'training.log', '..%2f..%2fdatasets', 'cat-state']) {
      await http.get(`/sessions/cat/checkpoints/${other}`).expect(404);
    }
  });

  test('a download that goes on gets its rest, or the whole file where it is another one by now', async () => {
    const address = '/sessions/cat/checkpoints/cat.safetensors';
    const { headers } = await http.get(address).expect(200);
    const rest = { Range: 'bytes=100-' };
    await http
      .get(address)
      .set({ ...rest, 'If-Range': headers.etag })
      .expect(206);
    const whole = await http
      .get(address)
      .set({ ...rest, 'If-Range': '"of-yesterday"' })
      .expect(200);
    expect(whole.headers['content-length']).toBe(headers['content-length']);
  });

  test('a stream begins whatever depth is claimed', async () => {
    for (const depth of ['-1', '1e9', 'x']) {
      const answer = await fetch(new URL(`events?depth=${depth}`, sidecar.url));
      expect([depth, answer.status]).toEqual([depth, 200]);
      await answer.body?.cancel();
    }
  });

  test('the trainers are told with their typed arguments', async () => {
    expect((await http.get('/trainers')).body).toMatchObject([{ id: 'practice' }]);
    const { body } = await http.get('/trainers/practice').expect(200);
    expect(body.arguments.map((each: { name: string }) => each.name)).toContain('gradient_accumulation_steps');
    expect(body.arguments.map((each: { name: string }) => each.name)).not.toContain('output_dir');
    await http.get('/trainers/nothing').expect(422);
  });

  test('what is not there is said in the words of a page or of JSON', async () => {
    expect((await http.get('/nowhere').set(page).expect(404)).text).toContain('nothing at this address');
    const { body } = await http.get('/sessions/nobody').expect(404);
    expect(body.error).toMatchObject({ code: 'no_session', message: expect.stringContaining('nobody') });
  });
});

test('until its first samples the time left counts what they took in another session, and is told as a guess', async () => {
  const file = join(place.outputs, 'cat', 'progress.json');
  const told = readFileSync(file, 'utf8');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(told), seconds_per_picture: 1000 }));
  // Twenty pictures of two steps, where those of the other session have one: 2,000 s each.
  const samples = { sample_prompts: 'a dog --s 2', sample_every_n_steps: 5000 };
  const settings = { ...quick, ...samples, resolution: 128, max_train_epochs: 10_000 };
  const { name } = (await sidecar.send('POST', 'sessions', { ...settings, lora_name: 'dog', start: true })).body;
  const { progress } = await sidecar.until(name, (facts) => facts.progress.eta_guessed);
  expect(progress.eta_seconds).toBeGreaterThan(40_000);
  expect(progress.eta_seconds).toBeLessThan(60_000);
  const { text } = await http.get(`/sessions/${name}`).set(page).expect(200);
  expect(text).toContain('left, a guess');
  expect(text).toContain('so is the time left');
  expect((await http.get('/').set(page)).text).toContain('left, a guess');
  await sidecar.send('DELETE', `sessions/${name}/attempts/current`);
  writeFileSync(file, told);
});

describe('the stream', () => {
  test('begins with a whole snapshot, and goes on with the log from where the page stands', async () => {
    const events = await readStream(
      'sessions/cat/events',
      (text) => text.includes('event: log') && text.includes('#head'),
    );
    expect(events).toContain('hx-partial hx-target="#attempts"');
    expect(events).toContain('hx-partial hx-target="#banner"');
    expect(events).toMatch(/event: title\ndata: .*cat/);
    expect(events).toContain('model saved.');
  });

  test.each(['', 'sessions/cat/', 'sessions/cat/log/', 'sessions/cat/charts/', 'models/', 'machine/'])(
    'of the page %s tells of the disk and of the other sessions',
    async (at) => {
      const events = await readStream(`${at}events`, (text) => text.includes('hx-target="#banner"'));
      expect(events).toContain('hx-target="#troubles"');
    },
  );

  test('tells every page of a change', async () => {
    const seen = readStream('events?home=1', (text) => text.includes('told by another tab'));
    await sidecar.send('PATCH', 'sessions/cat', { description: 'told by another tab' }).catch(() => {});
    await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'told by another tab' });
    expect(await seen).toContain('hx-target="#sessions"');
  });

  async function readStream(path: string, enough: (text: string) => boolean): Promise<string> {
    const abort = new AbortController();
    const answer = await fetch(new URL(path, sidecar.url), { signal: abort.signal });
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    let text = '';
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString('utf8');
      if (enough(text)) break;
    }
    abort.abort();
    return text;
  }
});

describe('forms without a script', () => {
  test('a form that can only post stops, edits and deletes all the same', async () => {
    await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'plain' });
    const edited = await http
      .post('/sessions/plain?_method=PATCH')
      .set(page)
      .type('form')
      .send({ notes: 'a\r\nb' })
      .expect(303);
    expect(edited.headers.location).toBe('../sessions/plain');
    expect((await sidecar.session('plain')).notes).toBe('a\nb');
    await http.post('/sessions/plain/attempts/current?_method=DELETE').set(page).expect(409);
    await http.post('/sessions/plain?_method=DELETE').set(page).expect(303);
    await http.get('/sessions/plain').expect(404);
  });

  test('a draft is changed, a session that was started is not', async () => {
    await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'draft' });
    expect((await sidecar.send('PATCH', 'sessions/draft', { network_dim: '8' })).body.settings.network_dim).toBe(8);
    expect((await sidecar.send('PATCH', 'sessions/draft', { network_dim: 'x' })).status).toBe(422);
    expect((await sidecar.send('PATCH', 'sessions/cat', { network_dim: 8 })).status).toBe(409);
    expect((await sidecar.send('PATCH', 'sessions/cat', { dataset: 'example' })).status).toBe(409);
  });

  test('a draft is edited in the form that made it: settings, flags, pictures; and started from there', async () => {
    await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'My Draft', dataset: '', description: 'first' });
    expect((await http.get('/sessions/my-draft').set(page).expect(200)).text).toContain('../new?draft=my-draft');
    const form = (await http.get('/new?draft=my-draft').set(page).expect(200)).text;
    expect(form).toContain('action="new?draft=my-draft"');
    expect(form).toMatch(/name="lora_name" value="My Draft"[^>]* readonly/);
    const typed = { lora_name: 'My Draft', max_train_epochs: '2', seed: '7', 'arguments[network_alpha]': '2' };
    const send = (fields: object) =>
      http
        .post('/new?draft=my-draft')
        .set(page)
        .type('form')
        .send({ ...typed, ...fields });

    const refused = (await send({ seed: 'x', description: 'typed' }).expect(422)).text;
    expect(refused).toContain('action="new?draft=my-draft"');
    expect(refused).toMatch(/name="description" value="typed"/);
    expect(refused).toContain('Must be a number.');
    expect((await sidecar.session('my-draft')).settings.seed).toBe(42);
    await send({ start: 'true' }).expect(422);

    await send({ description: 'second', dataset: 'example' }).expect(303);
    const facts = await sidecar.session('my-draft');
    expect(facts).toMatchObject({ status: 'draft', lora_name: 'My Draft', version: 1, description: 'second' });
    expect(facts.dataset_path).toBe(join(place.datasets, 'example'));
    expect(facts.settings).toMatchObject({ max_train_epochs: 2, seed: 7, arguments: { network_alpha: '2' } });
    // One value by jq or curl leaves the others, its pictures too.
    const one = await sidecar.send('PATCH', 'sessions/my-draft', { network_dim: 2, notes: 'a\r\nb' });
    expect(one.body.notes).toBe('a\nb');
    expect(one.body.settings).toMatchObject({ seed: 7, network_dim: 2, arguments: { network_alpha: '2' } });
    expect(one.body.dataset_path).toBe(join(place.datasets, 'example'));
    const renamed = await sidecar.send('PATCH', 'sessions/my-draft', { lora_name: 'Other' });
    expect([renamed.status, renamed.body.error.field]).toEqual([422, 'lora_name']);

    await send({ max_train_epochs: '3', start: 'true' }).expect(303);
    const done = await sidecar.until('my-draft', ({ status }) => status === 'completed');
    expect(done.progress.epochs).toBe(3);
    await send({ seed: '8' }).expect(409);
    await http.get('/new?draft=my-draft').set(page).expect(303);
    await http.get('/sessions/my-draft-v2').expect(404);
  });
});

describe('nonsense', () => {
  test.each([
    ['a body that is no JSON', '{"lora_name": ', 400],
    ['a body that is no object', '[1]', 400],
    ['a number that would be rounded', '{"lora_name":"x","seed":12345678901234567890}', 422],
    ['fields of the wrong types', '{"lora_name":{"a":1},"arguments":"x","max_train_epochs":[]}', 422],
    ['a trainer that does not exist', '{"lora_name":"x","trainer":"nothing"}', 422],
    ['a kind of attempt that does not exist', '{"kind":"again"}', 422],
  ])('%s is refused in words', async (_, body, status) => {
    const path = body.includes('kind') ? '/sessions/cat/attempts' : '/sessions';
    const answer = await http.post(path).set('Content-Type', 'application/json').send(body).expect(status);
    expect(answer.body.error.message.length).toBeGreaterThan(10);
  });

  test.each([
    ['a line break', 'a\nb'],
    ['an escape', 'a\u001b[31mb'],
    ['a change of direction', 'a\u202eb'],
    ['half a character', 'a\ud800b'],
    ['a NUL', 'a\u0000b'],
  ])('%s in a name is refused: scripts print names', async (_, lora_name) => {
    const { status, body } = await sidecar.send('POST', 'sessions', { ...quick, lora_name });
    expect([status, body.error.fields.lora_name]).toEqual([422, expect.stringContaining('invisible character')]);
  });

  test('a description that could not be saved again is refused at once, with the other wrong fields', async () => {
    const wrong = { ...quick, lora_name: '', description: 'x'.repeat(2001) };
    const { status, body } = await sidecar.send('POST', 'sessions', wrong);
    expect([status, Object.keys(body.error.fields).sort()]).toEqual([422, ['description', 'lora_name']]);
    const edited = await sidecar.send('PATCH', 'sessions/cat', { description: 'x'.repeat(2001) });
    expect(edited.body.error.message).toBe('description: is longer than 2,000 characters.');
  });

  test('a final checkpoint that was moved away is not told as if it lay there', async () => {
    renameSync(join(place.outputs, 'cat', 'cat.safetensors'), join(place.outputs, 'cat.aside'));
    expect((await sidecar.session('cat')).final_checkpoint).toBeNull();
    expect((await http.get('/sessions/cat').set(page).expect(200)).text).not.toContain('Final checkpoint');
    renameSync(join(place.outputs, 'cat.aside'), join(place.outputs, 'cat', 'cat.safetensors'));
  });

  test('a session whose files are cut short under our eyes is still told', async () => {
    truncateSync(join(place.outputs, 'cat', 'cat-000001.safetensors'), 3);
    writeFileSync(join(place.outputs, 'cat', 'progress.json'), '{"step": ');
    writeFileSync(join(place.outputs, 'cat', 'attempt.json'), 'garbage');
    const { body } = await http.get('/sessions/cat').expect(200);
    expect(body.status).toBe('completed');
    await http.get('/sessions/cat').set(page).expect(200);
  });
});
