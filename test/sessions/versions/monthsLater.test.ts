import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Provenance } from '../../../sidecar/sessions/provenance/provenance.js';
import { modelPath, prepareStandIn, training } from '../../sd-scripts/standIn.js';
import { makeTestSidecars, projectRoot, type Sidecar, type TestSidecars, until } from '../../sidecar.js';

let place: TestSidecars;
let sidecar: Sidecar;
let environment: NodeJS.ProcessEnv;
let checkout: string;
let dusk: string;
const MODEL = 'pretrained_model_name_or_path';
type Line = { what: string; then: string; now: string };

/** A checkout of the trainer with a history of its own, in which it can move on. */
beforeAll(async () => {
  place = makeTestSidecars();
  environment = prepareStandIn(place);
  // The stand-in trains with our practice trainer, as many folders above it.
  checkout = join(place.folder, 'test', 'sd-scripts', 'standIn', 'checkout');
  symlinkSync(join(projectRoot, 'trainer-bridge'), join(place.folder, 'trainer-bridge'));
  cpSync(String(environment.TRACKSIDE_SD_SCRIPTS), checkout, { recursive: true });
  environment.TRACKSIDE_SD_SCRIPTS = checkout;
  git('init', '-q');
  commit('as it was');
  sidecar = await place.serve(environment);
  const made = await sidecar.send(
    'POST',
    'sessions',
    training(place, 'sd1', { lora_name: 'cat', seed: 7, gpus: '0', max_train_epochs: 1 }),
  );
  expect(made.body.error ?? null).toBeNull();
  await sidecar.until('cat', ({ status }) => status === 'completed');
  await until(
    () => JSON.parse(readFileSync(join(place.outputs, 'cat', 'provenance.json'), 'utf8')) as Provenance,
    ({ completed_at }) => completed_at !== null,
  );
});
afterAll(() => place.leave());

function git(...command: string[]): string {
  const person = ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', [...person, ...command], { cwd: checkout, encoding: 'utf8' }).trim();
}
function commit(message: string): string {
  git('add', '-A');
  git('commit', '-qm', message);
  return git('rev-parse', 'HEAD');
}
const differs = (name: string) => sidecar.get<Line[]>(`sessions/${name}/differs`);
const relaunch = (more: object) => sidecar.send('POST', 'sessions/cat/versions', { start: true, ...more });
/** The command of the last attempt, as it would be in the folder of `cat`. */
const commandOf = async (name: string) =>
  (await sidecar.session(name)).attempts
    .at(-1)
    ?.argv.map((token) => token.replaceAll(name, 'cat').replaceAll(/(--(?:logging_dir|log_prefix)=).*/g, '$1'));

test('A moved model, another commit, a new package and changed pictures are said before anything starts', async () => {
  expect(await differs('cat')).toEqual([]);
  const was = git('rev-parse', 'HEAD');
  appendFileSync(join(checkout, 'README.md'), '\nMore.\n');
  const now = commit('moved on');
  appendFileSync(join(checkout, 'README.md'), '\nTried something.\n');
  const dataset = join(place.datasets, 'example');
  dusk = readFileSync(join(dataset, '02-dusk.txt'), 'utf8');
  writeFileSync(join(dataset, '02-dusk.txt'), 'a cat at noon');
  cpSync(join(dataset, '01-morning.png'), join(dataset, 'more.png'));
  renameSync(
    join(place.folder, 'packages', 'numpy-2.2.6.dist-info'),
    join(place.folder, 'packages', 'numpy-3.0.0.dist-info'),
  );
  writeFileSync(
    join(place.folder, 'packages', 'numpy-3.0.0.dist-info', 'METADATA'),
    'Metadata-Version: 2.1\nName: numpy\nVersion: 3.0.0\n',
  );
  renameSync(modelPath(place, 'sd1'), modelPath(place, 'moved'));
  await sidecar.kill();
  sidecar = await place.serve(environment);

  const lines = await differs('cat');
  const told = Object.fromEntries(lines.map(({ what, then, now: today }) => [what, [then, today]]));
  expect(told).toMatchObject({
    'Caption of 02-dusk.png': [expect.any(String), '“a cat at noon”'],
    'Picture more.png': ['not there', expect.stringContaining('bytes')],
    [`Model --${MODEL}`]: [expect.stringContaining('sha256'), expect.stringContaining('is missing')],
    'Commit of the trainer': [was, now],
    'Uncommitted changes of the trainer': ['none', expect.stringContaining('changed lines')],
    'Package numpy': ['2.2.6', '3.0.0'],
  });
  const page = await (
    await fetch(new URL('sessions/cat/relaunch', sidecar.url), { headers: { Accept: 'text/html' } })
  ).text();
  for (const { what } of lines) expect(page).toContain(what);
  expect(page).toContain(modelPath(place, 'moved'));

  const before = readdirSync(place.outputs);
  const refused = await relaunch({});
  expect([refused.status, refused.body.error.code]).toEqual([422, 'missing_model']);
  expect(readdirSync(place.outputs)).toEqual(before);
});

test('The model is pointed anew, and all else of the command is the same', async () => {
  const { status, body } = await relaunch({ arguments: { [MODEL]: modelPath(place, 'moved') } });
  expect(status, JSON.stringify(body)).toBe(201);
  await sidecar.until(body.name, (facts) => facts.status === 'completed');
  const [then, now] = [await commandOf('cat'), await commandOf(body.name)];
  const flag = `--${MODEL}=`;
  expect(now?.filter((token) => !token.startsWith(flag))).toEqual(then?.filter((token) => !token.startsWith(flag)));
  expect(now).toContain(`${flag}${modelPath(place, 'moved')}`);
});

test('Where pictures and model are as they were, the command is the same to its last token', async () => {
  renameSync(modelPath(place, 'moved'), modelPath(place, 'sd1'));
  const dataset = join(place.datasets, 'example');
  writeFileSync(join(dataset, '02-dusk.txt'), dusk);
  rmSync(join(dataset, 'more.png'));
  const left = (await differs('cat')).map(({ what }) => what);
  expect(left.filter((what) => /Picture|Caption|Model|Flag|--/.test(what))).toEqual([]);
  const { body } = await relaunch({});
  await sidecar.until(body.name, (facts) => facts.status === 'completed');
  expect(await commandOf(body.name)).toEqual(await commandOf('cat'));
});
