import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inTime } from '../../../sidecar/files/inTime.js';
import type { AttemptRecord } from '../../../sidecar/launchers/attemptFile.js';
import { newAttempt } from '../../../sidecar/sessions/record/uiState.js';
import { settleEnded } from '../../../sidecar/sessions/status/settleEnded.js';
import { tracked } from '../../../sidecar/trainers/tracked/dialect.js';

let outputs: string;
let folder: string;
beforeEach(() => {
  outputs = mkdtempSync(join(tmpdir(), 'trackside-settle-'));
  folder = join(outputs, 'cat');
  mkdirSync(folder);
});
afterEach(() => rmSync(outputs, { recursive: true }));

const TRACEBACK = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\nValueError: it rained\n';
const begun = { id: 'a', number: 1, kind: 'start', started_at: '2026-01-01T00:00:00.000Z', log_start: 0 } as const;
const end = { ...begun, exit_code: 1, signal: null, stop_signal: null, reason: null, oom_killed: false };
const settled = (exit_code: number) =>
  settleEnded({
    folder,
    entry: newAttempt({ ...begun, argv: [], cwd: '/' }),
    record: { ...end, exit_code, ended_at: '2026-01-01T00:01:00.000Z', log_end: null } as unknown as AttemptRecord,
    copyOf: null,
    dialect: tracked,
    outputName: 'cat',
    stored: null,
    job: null,
  });

test.each([
  ['failed', 1, 'The trainer stopped with an error: ValueError: it rained'],
  ['completed', 0, null],
])(
  'how a training %s is not concluded while the disk does not answer, but once it does',
  async (outcome, code, reason) => {
    writeFileSync(join(folder, 'training.log'), code === 0 ? 'done\n' : TRACEBACK);
    const metrics = ['{"event":"begin","attempt":"a","number":1}', '{"step":0,"loss":1}'];
    const last = code === 0 ? '{"event":"end","how":"finished"}' : '';
    writeFileSync(join(folder, 'metrics.ndjson'), `${[...metrics, last].join('\n')}\n`);
    let answer: (() => void) | undefined;
    const hanging = inTime(outputs, () => new Promise<void>((resolve) => (answer = resolve)), 1);
    await expect(hanging).rejects.toMatchObject({ code: 'no_answer' });
    await expect(settled(code)).rejects.toMatchObject({ code: 'disk_silent' });
    answer?.();
    await new Promise(setImmediate);
    expect((await settled(code)).latest).toMatchObject({ outcome, reason });
  },
);

test('a log that is missing explains nothing, and holds nothing up', async () => {
  expect((await settled(1)).latest).toMatchObject({ outcome: 'failed', reason: 'The trainer ended with exit code 1.' });
});
