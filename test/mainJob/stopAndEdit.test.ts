import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeTestSidecars, quick, until } from '../sidecar.js';

test('a stop that an edit by jq, begun before it, takes out of the file for a moment is told as yours all the same', async () => {
  const place = makeTestSidecars();
  onTestFinished(() => place.leave());
  const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.05' });
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', num_repeats: 500, start: true });
  await sidecar.until('cat', ({ status }) => status === 'running');
  const file = join(place.outputs, 'cat', 'ui_state.json');
  const read = () => readFileSync(file, 'utf8');
  const before = JSON.parse(read());
  const asked = sidecar.send('DELETE', 'sessions/cat/attempts/current');
  await until(read, (text) => /"stop_requested_at": ?"/.test(text));
  writeFileSync(`${file}.t`, JSON.stringify({ ...before, description: 'edited' }));
  renameSync(`${file}.t`, file);
  expect((await asked).status).toBe(202);
  const facts = await sidecar.until('cat', ({ status }) => status === 'stopped');
  expect(facts).toMatchObject({ stopped_by: 'you', reason: 'Stopped by you.', description: 'edited' });
});
