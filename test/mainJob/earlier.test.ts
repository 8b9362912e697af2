import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { test } from '../ownPlace.js';
import { quick, type Sidecar } from '../sidecar.js';
import { edit } from './edit.js';

const ended = ({ status }: SessionFacts) => ['completed', 'stopped', 'failed'].includes(status);
const page = async (sidecar: Sidecar, path = 'sessions/cat') =>
  (await fetch(sidecar.url + path, { headers: { accept: 'text/html' } })).text();
const textOf = (html: string) => html.replaceAll(/<[^>]+>/g, '').replaceAll(/\s+/g, ' ');

test.concurrent('two states of one name, one of them in earlier/: each is told by its path', async ({ place }) => {
  const sidecar = await place.serve({ PRACTICE_SAVE_SECONDS: '2' });
  const training = { ...quick, lora_name: 'cat', max_train_epochs: 1, start: true };
  await sidecar.send('POST', 'sessions', training);
  await sidecar.until('cat', ended);
  await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume', max_train_epochs: 2 });
  await sidecar.until('cat', ({ progress }) => progress.phase === 'finishing');
  const { pid, trainer_pid } = JSON.parse(readFileSync(join(place.outputs, 'cat', 'attempt.json'), 'utf8'));
  for (const each of [pid, trainer_pid]) process.kill(each, 'SIGKILL');
  await sidecar.until('cat', ended);
  expect(textOf(await page(sidecar))).toMatch(
    /Resume continues from earlier\/attempt-1\/cat-state at epoch 2\. cat-state was skipped/,
  );
});

test.concurrent('a state that holds all the epochs already says so, and is not offered', async ({ place }) => {
  const first = await place.serve();
  await first.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 2, start: true });
  await first.until('cat', ended);
  await first.kill();
  // The last state was saved, and the power went before the weights.
  rmSync(join(place.outputs, 'cat', 'cat.safetensors'));
  edit(join(place.outputs, 'cat', 'attempt.json'), (record) => ({ ...record, ended_at: null, exit_code: null }));
  edit(join(place.outputs, 'cat', 'ui_state.json'), (state) => {
    const [attempt] = state.attempts as object[];
    return { ...state, status: 'running', attempts: [{ ...attempt, outcome: null }] };
  });
  const sidecar = await place.serve();
  expect(await sidecar.until('cat', ended)).toMatchObject({ interrupted: true, next: 'resume' });
  const refused = 'it already contains all 2 epochs';
  expect((await sidecar.states('cat')).map(({ name, complete, refused }) => [name, complete, refused])).toEqual([
    ['cat-state', true, refused],
    ['cat-000001-state', true, null],
  ]);
  const html = await page(sidecar);
  expect(textOf(html)).toContain(`Resume can’t use it: ${refused}.`);
  expect(html).toContain('name="state" value="cat-000001-state"');
  expect(html).not.toContain('name="state" value="cat-state"');
});

test.concurrent('after Start over, the page says where states and samples are kept, and offers one way to begin', async ({
  place,
}) => {
  const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.2' });
  const training = { ...quick, sample_prompts: 'a cat --s 1', sample_every_n_steps: 5, lora_name: 'cat', start: true };
  await sidecar.send('POST', 'sessions', training);
  await sidecar.until('cat', ({ progress }) => (progress.step ?? 0) > 12);
  await sidecar.send('DELETE', 'sessions/cat/attempts/current');
  await sidecar.until('cat', ended);
  await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'relaunch' });
  await sidecar.until('cat', ({ attempts, progress }) => attempts.length === 2 && (progress.step ?? 0) >= 1);
  await sidecar.send('DELETE', 'sessions/cat/attempts/current');
  expect(await sidecar.until('cat', ended)).toMatchObject({ next: 'start' });
  const html = await page(sidecar);
  const words = textOf(html);
  expect(words).toContain('No state folders yet. Those from earlier attempts are kept in earlier/attempt-1/.');
  expect(words).toContain('No samples yet. Those from earlier attempts are kept in earlier/attempt-1/sample/.');
  expect(textOf(await page(sidecar, 'sessions/cat/samples'))).toContain('earlier/attempt-1/sample/.');
  expect(html).toContain('name="kind" value="start"');
  expect(html).not.toContain('value="relaunch"');
});
