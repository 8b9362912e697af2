import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionFacts } from '../../../sidecar/sessions/facts.js';
import { appInProcess, type InProcess } from '../../inProcess.js';

let at: InProcess;
beforeAll(() => {
  at = appInProcess();
});
afterAll(() => at.leave());

/** As a sidecar leaves it that is killed after it has recorded an attempt, and before a runner has written a word. */
function lost(name: string, more: object): string {
  const folder = join(at.settings.outputs, name);
  mkdirSync(folder);
  const attempt = { id: 'a', number: 1, kind: 'start', started_at: '2026-01-01T00:00:00Z', argv: [], output: folder };
  const record = { lora_name: name, trainer: 'practice', status: 'starting', attempts: [attempt], ...more };
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify(record));
  return folder;
}

async function read(name: string): Promise<SessionFacts> {
  return (
    await at.ask(`/sessions/${name}`, { headers: { Accept: 'application/json' } })
  ).json() as Promise<SessionFacts>;
}

test('a start that died with its sidecar is told as such, and waits for its turn again where it came from the queue', async () => {
  const folder = lost('plain', {});
  const reason = 'Trackside ended before the trainer had started; nothing was trained.';
  expect(await read('plain')).toMatchObject({ status: 'stopped', interrupted: true, reason, next: 'start' });
  const { status, attempts } = JSON.parse(readFileSync(join(folder, 'ui_state.json'), 'utf8'));
  expect([status, attempts[0].reason_code]).toEqual(['stopped', 'sidecar_gone']);
  lost('queued', { queue: { position: 1, queued_at: '2026-01-01T00:00:00Z', kind: 'start', after: 0 } });
  expect(await read('queued')).toMatchObject({
    status: 'pending',
    queue: { position: 1, held: false, failed: null },
    attempts: [{ reason_code: 'sidecar_gone' }],
  });
});

test('a release that meets a start does not put its session back into the queue once that has trained', async () => {
  const waits = { position: 1, queued_at: '2026-01-01T00:00:00Z', kind: 'start', after: 0, held: true };
  const folder = lost('met', { status: 'pending', attempts: [], queue: waits });
  expect(await read('met')).toMatchObject({ status: 'pending', queue: { held: true } });
  // Its start has been recorded, and is not known yet to whoever lists what waits.
  const path = join(folder, 'ui_state.json');
  const attempt = { id: 'a', number: 1, kind: 'start', started_at: '2026-01-01T00:00:00Z', argv: [], output: folder };
  const record = () => JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...record(), attempts: [attempt] }));
  const body = JSON.stringify({ session: 'met', held: false });
  const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
  expect((await at.ask('/queue', { method: 'PATCH', headers, body })).status).toBe(200);
  expect(record()).toMatchObject({ queue: { held: false }, attempts: [{ number: 1 }] });
  const ended = { outcome: 'stopped', reason: 'Stopped by you.', ended_at: '2026-01-01T01:00:00Z' };
  writeFileSync(path, JSON.stringify({ ...record(), status: 'stopped', attempts: [{ ...attempt, ...ended }] }));
  expect(await read('met')).toMatchObject({ status: 'stopped', queue: null });
});
