import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { SessionFacts } from '../../../sidecar/sessions/facts.js';
import { makeTestSidecars, type Sidecar, type TestSidecars, until } from '../../sidecar.js';

let place: TestSidecars;
afterEach(() => place.leave());

const MANY = 300;

/** Records with nothing beside them, as another tool or a copy of the settings alone would leave them. */
function manyRecords(): void {
  for (let index = 0; index < MANY; index += 1) {
    const name = `lora-${String(index).padStart(4, '0')}`;
    const folder = join(place.outputs, name);
    mkdirSync(folder, { recursive: true });
    const created_at = new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString();
    const status = index % 3 === 0 ? 'completed' : index % 3 === 1 ? 'stopped' : 'draft';
    writeFileSync(join(folder, 'ui_state.json'), JSON.stringify({ lora_name: name, status, created_at, seed: index }));
  }
}

const list = (sidecar: Sidecar) => sidecar.get<SessionFacts[]>('sessions');

test('of many sessions, each is listed at once, in order, and looked into soon; asked for itself it is told whole', async () => {
  place = makeTestSidecars();
  manyRecords();
  mkdirSync(join(place.outputs, 'broken'));
  writeFileSync(join(place.outputs, 'broken', 'ui_state.json'), '{"lora_name": ');
  mkdirSync(join(place.outputs, 'no-session'));
  const claims = join(place.outputs, 'claims-to-run');
  mkdirSync(claims);
  writeFileSync(join(claims, 'ui_state.json'), '{"lora_name": "claims", "status": "running"}');
  const sidecar = await place.serve();

  const first = await list(sidecar);
  expect(first).toHaveLength(MANY + 2);
  expect(first.map(({ name }) => name).filter((name) => name.startsWith('lora-'))).toEqual(
    Array.from({ length: MANY }, (_, index) => `lora-${String(MANY - 1 - index).padStart(4, '0')}`),
  );
  const told = new Map(first.map((facts) => [facts.name, facts]));
  expect(told.get('broken')).toMatchObject({ record: 'unreadable', looked_into: true });
  expect(told.get('claims-to-run')).toMatchObject({ status: 'stopped', interrupted: true, looked_into: true });
  for (const facts of first) if (!facts.looked_into) expect(facts).toMatchObject({ next: null, resume: null });

  const last = `lora-${'0'.repeat(4)}`;
  const { status, looked_into, next, settings } = await sidecar.session('lora-0002');
  expect({ status, looked_into, next, seed: settings.seed }).toEqual({
    status: 'draft',
    looked_into: true,
    next: 'start',
    seed: 2,
  });
  const all = await until(
    () => list(sidecar),
    (now) => now.every((facts) => facts.looked_into),
    60,
  );
  expect(all.map(({ name }) => name)).toEqual(first.map(({ name }) => name));
  expect(all.find(({ name }) => name === last)).toMatchObject({ status: 'completed' });
});

test('what an earlier sidecar knew counts only for the very same files', async () => {
  place = makeTestSidecars();
  manyRecords();
  const before = await place.serve();
  await until(
    () => list(before),
    (now) => now.every((facts) => facts.looked_into),
    60,
  );
  await before.kill('SIGTERM');
  expect(existsSync(join(place.outputs, '.trackside-facts.ndjson'))).toBe(true);
  const path = join(place.outputs, 'lora-0005', 'ui_state.json');
  const edited = { ...JSON.parse(readFileSync(path, 'utf8')), description: 'edited meanwhile' };
  writeFileSync(path, JSON.stringify(edited));
  const after = await place.serve();
  const found = (await list(after)).find(({ name }) => name === 'lora-0005');
  expect(found).toMatchObject({ description: 'edited meanwhile' });
});
