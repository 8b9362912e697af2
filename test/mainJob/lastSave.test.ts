import { join } from 'node:path';
import { expect } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { test } from '../ownPlace.js';
import { quick, type Sidecar } from '../sidecar.js';
import { edit } from './edit.js';

/** A save takes 1 s for a state, and 0.2 s for weights. */
const slow = { PRACTICE_STEP_SECONDS: '0.02', PRACTICE_SAVE_SECONDS: '1' };
const stop = (sidecar: Sidecar, when: 'now' | 'after-save') =>
  sidecar.send('DELETE', `sessions/cat/attempts/current?when=${when}`);
const ended = ({ status }: SessionFacts) => ['completed', 'stopped', 'failed'].includes(status);

test.concurrent.for<[string, object]>([
  ['epochs alone', {}],
  ['the last step too', { arguments: { save_every_n_steps: 10 } }],
])(
  'stop after the next checkpoint in the last epoch, with a save of %s: it completes',
  async ([_, more], { place }) => {
    const sidecar = await place.serve(slow);
    await sidecar.send('POST', 'sessions', { ...quick, ...more, lora_name: 'cat', max_train_epochs: 2, start: true });
    await sidecar.until('cat', ({ progress }) => progress.epoch === 2 && (progress.step ?? 0) > 10);
    expect(await stop(sidecar, 'after-save')).toMatchObject({ status: 202, body: { stops_after_save: true } });
    expect(await sidecar.until('cat', ended)).toMatchObject({
      status: 'completed',
      reason: null,
      all_trained: true,
      next: 'train further',
      final_checkpoint: join(place.outputs, 'cat', 'cat.safetensors'),
    });
  },
);

test.concurrent.for([
  ['its state', true, 'finishing'],
  ['its weights, where no state is saved', false, 'saving'],
])(
  'stop during the last save, of %s: the save is let through, and it completes',
  async ([_, states, phase], { place }) => {
    const sidecar = await place.serve({ ...slow, PRACTICE_SAVE_SECONDS: '4' });
    const training = { ...quick, enable_checkpointing: states, lora_name: 'cat', max_train_epochs: 1, start: true };
    await sidecar.send('POST', 'sessions', training);
    await sidecar.until('cat', ({ progress }) => progress.phase === phase);
    expect((await stop(sidecar, 'now')).body).toMatchObject({ status: 'stopping' });
    expect(await sidecar.until('cat', ended)).toMatchObject({ status: 'completed', reason: null, all_trained: true });
  },
);

test.concurrent('stop while the weights of a save are written: its state is waited for too', async ({ place }) => {
  const sidecar = await place.serve({ ...slow, PRACTICE_SAVE_SECONDS: '2' });
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', start: true });
  await sidecar.until('cat', ({ progress }) => progress.phase === 'saving');
  await stop(sidecar, 'now');
  const stopped = await sidecar.until('cat', ended);
  expect(stopped).toMatchObject({ status: 'stopped', resume: { state: 'cat-000001-state', epoch: 1 } });
});

test.concurrent('ended when everything had been trained and saved: it is told so, and no step is trained again', async ({
  place,
}) => {
  const first = await place.serve();
  await first.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 2, start: true });
  await first.until('cat', ended);
  await first.kill();
  // As it lies there when the trainer was on its way out, and the signal was quicker.
  edit(join(place.outputs, 'cat', 'attempt.json'), (record) => ({
    ...record,
    exit_code: null,
    signal: 'SIGTERM',
    stop_signal: 'SIGTERM',
  }));
  edit(join(place.outputs, 'cat', 'ui_state.json'), (state) => {
    const [attempt] = state.attempts as object[];
    const asked = { stop_requested_at: '2026-01-01T00:00:00.000Z', stop_when: 'now' };
    return { ...state, status: 'stopping', attempts: [{ ...attempt, ...asked, outcome: null }] };
  });

  const sidecar = await place.serve();
  const stopped = await sidecar.until('cat', ended);
  expect(stopped).toMatchObject({
    status: 'stopped',
    reason: 'Stopped by you. Everything had been trained by then, and cat.safetensors is complete.',
    all_trained: true,
    resume: null,
    next: 'train further',
  });
  const page = await (await fetch(`${sidecar.url}sessions/cat`, { headers: { accept: 'text/html' } })).text();
  expect(page).not.toContain('will be repeated');
  expect(page).toContain('id="further"');
  const again = await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' });
  expect(again).toMatchObject({ status: 422, body: { error: { code: 'completed' } } });
});
