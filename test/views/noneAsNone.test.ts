import { copyFileSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import * as f from '../../sidecar/views/formatting.js';
import { appInProcess } from '../inProcess.js';
import { projectRoot } from '../sidecar.js';

const { ask, settings, leave } = appInProcess();
afterAll(leave);

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -0.5])(
  '%s is no size, no time and no share',
  (none) => {
    expect([f.bytes(none), f.duration(none), f.pace(none), f.percent(none)]).toEqual(['–', '–', '–', '–']);
  },
);

const odd: Record<string, unknown> = {
  null: null,
  'a text': '12',
  true: true,
  'less than nothing': -5,
  'a part of one': 0.5,
  'past 2^53': 2 ** 53,
  'far too many': 1e300,
  'a list': [1],
};
const names = [
  'step',
  'total_steps',
  'epoch',
  'epochs',
  'percent',
  'seconds_per_step',
  'eta_seconds',
  'steps_per_epoch',
];
const attempt = { id: 'a', number: 1, kind: 'start', started_at: '2026-01-01T00:00:00Z', argv: ['python'], cwd: '/' };

test.each(Object.entries(odd))('a progress of %s is none, on the page and in JSON', async (kind, value) => {
  const name = `odd-${Object.keys(odd).indexOf(kind)}`;
  const folder = join(settings.outputs, name);
  mkdirSync(folder, { recursive: true });
  const ended = { ...attempt, started_at: '+012026-99-99', ended_at: '-000001-01-01T00:00:00Z', outcome: 'stopped' };
  writeFileSync(
    join(folder, 'ui_state.json'),
    JSON.stringify({ lora_name: name, trainer: 'practice', status: 'stopped', timestamp: 1e15, attempts: [ended] }),
  );
  writeFileSync(
    join(folder, 'progress.json'),
    JSON.stringify({
      attempt: 'a',
      updated_at: 'yesterday',
      loss: 'x',
      ...Object.fromEntries(names.map((each) => [each, value])),
    }),
  );
  const json = await ask(`/sessions/${name}`, { headers: { Accept: 'application/json' } });
  expect(json.status).toBe(200);
  const { progress } = (await json.json()) as { progress: Record<string, number | null> };
  for (const each of ['step', 'total_steps', 'epoch', 'epochs'])
    expect(progress[each]).toSatisfy((read) => read === null || Number.isSafeInteger(read));
  expect(progress.percent ?? 0).toBeGreaterThanOrEqual(0);
  expect(progress.eta_seconds ?? 0).toBeGreaterThanOrEqual(0);
  const page = await ask(`/sessions/${name}`, { headers: { Accept: 'text/html' } });
  expect(page.status).toBe(200);
  expect(await page.text()).not.toMatch(/NaN|Infinity|undefined|Invalid Date/);
});

test('weights that say when they were trained in no date, and files whose time is none, are shown', async () => {
  const folder = join(settings.outputs, 'dates');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'ui_state.json'),
    JSON.stringify({ lora_name: 'dates', trainer: 'practice', status: 'stopped', attempts: [] }),
  );
  const header = Buffer.from(
    JSON.stringify({
      __metadata__: {
        ss_training_started_at: '1e300',
        ss_training_finished_at: '-1',
        ss_epoch: '9'.repeat(400),
        ss_steps: 'NaN',
        ss_num_epochs: '1.5',
      },
    }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(join(folder, 'dates.safetensors'), Buffer.concat([length, header]));
  copyFileSync(
    join(projectRoot, 'test/fixtures/sd-scripts/tiny-output/mylora-000001.safetensors'),
    join(folder, 'dates-000001.safetensors'),
  );
  for (const path of ['dates-000001.safetensors', '']) utimesSync(join(folder, path), 1e15, 1e15);
  for (const path of ['', '/checkpoints', '/states'])
    for (const accept of ['application/json', 'text/html'])
      expect((await ask(`/sessions/dates${path}`, { headers: { Accept: accept } })).status, path + accept).toBe(200);
});

test('a name with a mark that turns its direction shows the mark, and what a form sends back keeps it', async () => {
  const folder = join(settings.outputs, 'marks');
  mkdirSync(join(folder, 'history'), { recursive: true });
  const notes = 'a\u202egnp.txt\u200b';
  writeFileSync(
    join(folder, 'ui_state.json'),
    JSON.stringify({
      lora_name: 'cat\u202etac',
      description: '\u2066x',
      notes,
      trainer: 'practice',
      status: 'stopped',
      attempts: [],
    }),
  );
  const page = await (await ask('/sessions/marks', { headers: { Accept: 'text/html' } })).text();
  expect(page).toContain('cat⟨U+202E⟩tac');
  expect(page).toContain(`${notes}</textarea>`);
  expect(page.replace(`${notes}</textarea>`, '').replace('value="\u2066x"', '')).not.toMatch(
    /[\u202a-\u202e\u2066-\u2069\u200b]/,
  );
});
