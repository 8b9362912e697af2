import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTestSidecars, projectRoot, type Sidecar, type TestSidecars, until } from '../../sidecar.js';

let place: TestSidecars;
let sidecar: Sidecar;
let script: string;

beforeAll(async () => {
  place = makeTestSidecars();
  const folder = join(place.folder, 'trainers');
  mkdirSync(folder);
  script = join(place.folder, 'my_train.py');
  copyFileSync(join(projectRoot, 'test', 'trainers', 'script', 'my_train.py'), script);
  writeFileSync(join(folder, 'burn.py'), "import fire\nif __name__ == '__main__':\n    fire.Fire(print)\n");
  writeFileSync(join(folder, 'helper.py'), 'STEPS = 1\n');
  writeFileSync(join(folder, 'decorated.py'), DECORATED);
  sidecar = await place.serve({ TRACKSIDE_TRAINERS: folder, PYTHONDONTWRITEBYTECODE: '1' });
});
afterAll(() => place.leave());

const DECORATED = `
import trackside

@trackside.trainer
def train(steps: int = 3, name: str = "x"):
    """Trains a little.

    steps: how long
    """
    print("trained", steps, name)

if __name__ == "__main__":
    train()
`;

function trackside(...argv: string[]): string {
  const env = { ...process.env, TRACKSIDE_PRIVATE: join(place.folder, 'private') };
  const program = join(projectRoot, '.build', 'sidecar', 'main.js');
  return execFileSync(process.execPath, [program, ...argv], { env, encoding: 'utf8', stdio: 'pipe' });
}

const start = (fields: object) =>
  sidecar.send('POST', 'sessions', { trainer: 'script/my_train', start: true, ...fields });
const logOf = (name: string) => readFileSync(join(place.outputs, name, 'training.log'), 'utf8');
const givenTo = (name: string) => JSON.parse(/^given (.*)$/m.exec(logOf(name))?.[1] ?? 'null');

test('a script is added on the command line, and is a trainer of a Trackside that serves already', async () => {
  expect(trackside('add', script)).toMatch(/Added .*my_train\.py as script\/my_train: 10 arguments, 2 commands/);
  const known = await sidecar.get<{ id: string }[]>('trainers');
  expect(known.map(({ id }) => id)).toEqual(['practice', 'script/my_train', 'script/burn', 'script/decorated']);
  expect(() => trackside('add', join(place.folder, 'trainers', 'burn.py'))).toThrow(/reads its command line with fire/);
  const form = await sidecar.get<{ exclusive: unknown; commands: { choices: { value: string }[] } }>(
    'trainers/script/my_train',
  );
  expect(form.commands.choices.map(({ value }) => value)).toEqual(['train', 'evaluate']);
  expect(form.exclusive).toEqual([{ required: true, members: ['steps', 'epochs', 'forever'] }]);
});

test('it trains with exactly the values of the form, in a session like any other, and writes into its folder', async () => {
  const values = { steps: 5, ema: false, command: 'train', 'train/lr': '1e-3', 'train/tags': ['--a b', 'c'] };
  expect(
    (await start({ lora_name: 'exact', arguments: { ...values, 'train/tags': ['--a b', 'c'] } })).body.error.message,
  ).toMatch(/--tags: --a b would be read as a separate flag/);
  const made = await start({ lora_name: 'exact', arguments: { ...values, 'train/tags': ['a b', "it's"] } });
  expect(made.status).toBe(201);
  const done = await sidecar.until('exact', ({ status }) => status === 'completed');
  expect(givenTo('exact')).toMatchObject({
    steps: 5,
    ema: false,
    command: 'train',
    lr: 0.001,
    tags: ['a b', "it's"],
    seed: 42,
  });
  expect(givenTo('exact').output_dir).toBe(join(place.outputs, 'exact'));
  expect(done.attempts).toMatchObject([{ kind: 'start', exit_code: 0 }]);
  expect(readFileSync(join(place.outputs, 'exact', 'train.sh'), 'utf8')).toContain("'a b'");
  // The same name again is its next version.
  const next = await start({ lora_name: 'exact', arguments: { ...values, 'train/tags': '' } });
  expect(next.body).toMatchObject({ name: 'exact-v2', version: 2 });
  await sidecar.until('exact-v2', ({ status }) => status === 'completed');
});

test('what the script refuses is said in its own words, at the field, before anything runs', async () => {
  const values = { steps: 5, command: 'train' };
  const odd = await start({ lora_name: 'odd', arguments: { ...values, seed: '3' } });
  expect(odd).toMatchObject({ status: 422, body: { error: { message: 'The script refuses --seed: 3 is odd.' } } });
  const both = await start({
    lora_name: 'odd',
    arguments: { ...values, epochs: 1, 'train/lr': 'fast', 'evaluate/weights': 'x' },
  });
  expect(both.body.error.fields).toEqual({
    'arguments.train/lr': '--lr must be a number, like 8e-4 or 0.0008.',
    'arguments.evaluate/weights': 'evaluate/weights belongs to another command than the chosen one.',
    'arguments.epochs': 'epochs and steps can’t both be given.',
  });
  const none = await start({ lora_name: 'odd', arguments: {} });
  expect(Object.keys(none.body.error.fields)).toEqual(['arguments.command', 'arguments.steps']);
  const away = await start({
    lora_name: 'odd',
    arguments: { steps: 1, command: 'evaluate', 'evaluate/weights': '/etc/passwd' },
  });
  expect(away.body.error.message).toMatch(/weights: \/etc\/passwd is not inside the folders/);
  expect((await sidecar.get<unknown[]>('sessions')).map((each) => (each as { name: string }).name)).not.toContain(
    'odd',
  );
});

test('it records what it is made from before it starts, and an edit of the script since is told', async () => {
  const kept = join(place.folder, 'kept');
  mkdirSync(kept);
  writeFileSync(join(kept, 'kept.py'), readFileSync(script));
  const git = (...argv: string[]) =>
    execFileSync('git', ['-C', kept, '-c', 'user.name=a', '-c', 'user.email=a@example.org', ...argv])
      .toString()
      .trim();
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'first');
  trackside('add', join(kept, 'kept.py'));
  const values = { steps: 5, command: 'train', seed: '4' };
  await start({ lora_name: 'kept', trainer: 'script/kept', arguments: values });
  await sidecar.until('kept', ({ status }) => status === 'completed');
  const { trackside: told } = await until(
    () => sidecar.get<{ trackside: { provenance: Record<string, unknown> } }>('sessions/kept/export'),
    ({ trackside: { provenance } }) => provenance.completed_at !== null,
  );
  expect(told.provenance).toMatchObject({
    attempt: { number: 1, kind: 'start' },
    command: { argv: expect.arrayContaining(['train', '$TRAINER/kept.py']) },
    trainer: {
      ...{ id: 'script/kept', commit: git('rev-parse', 'HEAD'), uncommitted: '' },
      sha256: createHash('sha256').update(readFileSync(script)).digest('hex'),
    },
    environment: { python: expect.stringMatching(/^3\./) },
    packages: expect.any(Array),
    dataset: null,
  });
  expect(await sidecar.get('sessions/kept/differs')).toEqual([]);
  writeFileSync(join(kept, 'kept.py'), `${readFileSync(script)}\n# tuned\n`);
  const differs = await sidecar.get<{ what: string; now: string }[]>('sessions/kept/differs');
  expect(differs.map(({ what }) => what)).toEqual(['Script', 'Uncommitted changes of the trainer']);
});

test('it is stopped, started over, and a failure keeps its exit code', async () => {
  await start({ lora_name: 'long', arguments: { forever: true, command: 'train' } });
  await sidecar.until('long', ({ status }) => status === 'running');
  expect((await sidecar.send('DELETE', 'sessions/long/attempts/current')).status).toBe(202);
  await sidecar.until('long', ({ status }) => status === 'stopped');
  expect((await sidecar.send('POST', 'sessions/long/attempts', { kind: 'relaunch' })).status).toBe(201);
  await sidecar.until('long', ({ status }) => status === 'running');
  await sidecar.send('DELETE', 'sessions/long/attempts/current');
  await sidecar.until('long', ({ status }) => status === 'stopped');

  await start({ lora_name: 'fails', arguments: { steps: 1, command: 'train', 'train/fail': 7 } });
  const failed = await sidecar.until('fails', ({ status }) => status === 'failed');
  expect(failed.attempts[0]).toMatchObject({ exit_code: 7 });
});

test('a draft waits without what is required, and is started once it has it', async () => {
  const made = await sidecar.send('POST', 'sessions', {
    lora_name: 'later',
    trainer: 'script/my_train',
    arguments: { command: 'train' },
  });
  expect(made.body.status).toBe('draft');
  expect((await sidecar.send('POST', 'sessions/later/attempts', { kind: 'start' })).body.error.message).toMatch(
    /One of steps, epochs, forever is required/,
  );
  await sidecar.send('PATCH', 'sessions/later', { arguments: { command: 'train', steps: 2 } });
  expect((await sidecar.send('POST', 'sessions/later/attempts', { kind: 'start' })).status).toBe(201);
  await sidecar.until('later', ({ status }) => status === 'completed');
});

test('a function with @trackside.trainer is one too, without the package installed', async () => {
  await start({ lora_name: 'decorated', trainer: 'script/decorated', arguments: { steps: 7, name: '-y z' } });
  await sidecar.until('decorated', ({ status }) => status === 'completed');
  expect(logOf('decorated')).toContain('trained 7 -y z');
});

test('its page escapes what the script says, and says why another script has no form', async () => {
  const page = await (
    await fetch(new URL('new?trainer=script/my_train', sidecar.url), { headers: { Accept: 'text/html' } })
  ).text();
  expect(page).toContain('even &quot;&gt;&lt;img src=x onerror=alert(1)&gt;');
  expect(page).not.toMatch(/<img src=x|<script>alert/);
  await sidecar.send('GET', 'trainers/script/burn');
  const other = await (
    await fetch(new URL('new?trainer=script/burn', sidecar.url), { headers: { Accept: 'text/html' } })
  ).text();
  expect(other).toContain('reads its command line with fire');
});

test('a removed script is no trainer any more; its sessions say what to do', async () => {
  trackside('remove', script);
  expect((await sidecar.get<{ id: string }[]>('trainers')).map(({ id }) => id)).not.toContain('script/my_train');
  const again = await sidecar.send('POST', 'sessions/exact/attempts', { kind: 'relaunch' });
  expect(again.body.error.message).toMatch(/no longer among the trainers\. Add it again: trackside add/);
});
