import { describe, expect, test } from 'vitest';
import type { AttemptRecord } from '../../../sidecar/launchers/attemptFile.js';
import type { Liveness } from '../../../sidecar/launchers/liveness.js';
import { parseUiState } from '../../../sidecar/sessions/record/parseUiState.js';
import type { AttemptEntry } from '../../../sidecar/sessions/record/uiState.js';
import { settle } from '../../../sidecar/sessions/status/settle.js';
import { deriveStatus } from '../../../sidecar/sessions/status/status.js';
import type { Exit } from '../../../sidecar/trainers/dialect.js';
import { sdOutput } from '../../../sidecar/trainers/sdOutput/dialect.js';

const record = { id: 'a', ended_at: '2026-01-01T00:00:00.000Z', exit_code: 0, signal: null } as AttemptRecord;
const dead: Liveness = { alive: 'no' };
const here: Liveness = { alive: 'here', pid: 42, by: 'runner', attempt: record };

function entry(more: Partial<AttemptEntry> = {}): AttemptEntry {
  const attempt = { number: 1, kind: 'start', id: 'a', started_at: '2026-01-01T00:00:00.000Z', argv: [], ...more };
  return parseUiState(JSON.stringify({ attempts: [attempt] })).state.attempts[0] as AttemptEntry;
}

describe('how an attempt ended', () => {
  const evidence = {
    entry: entry(),
    record,
    copyOf: null as string | null,
    podEnded: false,
    daemon: null as string | null,
    stepSeen: true,
    stepsLeft: 0,
    newFinal: 'whole' as const,
    finalName: 'cat.safetensors',
    explain: (exit: Exit) => sdOutput.explain('', exit, []),
    logSize: 10,
    now: new Date(0),
  };
  const asked = entry({ stop_requested_at: '2026-01-01T00:00:00.000Z', stop_when: 'now' });
  const waits = entry({ stop_requested_at: '2026-01-01T00:00:00.000Z', stop_when: 'after-save' });
  const one = { ...record, exit_code: 1 } as AttemptRecord;
  const killed = { ...record, exit_code: null, signal: 'SIGKILL', oom_killed: false } as AttemptRecord;
  const unended = { ...record, ended_at: null, exit_code: null } as AttemptRecord;
  test.each([
    ['exit 0, new weights, a step', evidence, 'completed', null],
    ['exit 0 with old weights', { ...evidence, newFinal: null }, 'failed', 'wrote no new cat.safetensors'],
    [
      'exit 0 with weights that are not whole',
      { ...evidence, newFinal: { wrong: 'is cut short' } },
      'failed',
      'cat.safetensors is cut short',
    ],
    ['exit 0 without a step', { ...evidence, stepSeen: false }, 'failed', 'trained no step'],
    ['completed although a stop was asked for', { ...evidence, entry: asked }, 'completed', null],
    ['cut short by a stop that it honoured', { ...evidence, entry: asked, stepsLeft: 3 }, 'stopped', 'by you'],
    ['exit 1', { ...evidence, record: one }, 'failed', 'exit code 1'],
    ['exit 1 after a stop was asked for', { ...evidence, record: one, entry: asked }, 'stopped', 'by you'],
    ['a signal', { ...evidence, record: killed }, 'failed', 'SIGKILL'],
    [
      'kill by hand',
      { ...evidence, record: { ...killed, stop_signal: 'SIGTERM' } as AttemptRecord },
      'stopped',
      'SIGTERM',
    ],
    [
      'kill of everything in the pod',
      { ...evidence, record: { ...killed, stop_signal: 'SIGTERM' } as AttemptRecord, podEnded: true },
      'interrupted',
      'The pod was shut down',
    ],
    [
      'a signal of a cluster’s daemon',
      { ...evidence, record: { ...killed, stop_signal: 'SIGTERM' } as AttemptRecord, daemon: 'slurmstepd' },
      'interrupted',
      'SIGTERM came from slurmstepd',
    ],
    [
      'a signal of a cluster’s daemon after a stop was asked for',
      {
        ...evidence,
        record: { ...killed, stop_signal: 'SIGTERM' } as AttemptRecord,
        daemon: 'slurmstepd',
        entry: asked,
      },
      'stopped',
      'by you',
    ],
    [
      'a request that only its runner wrote down',
      { ...evidence, record: { ...killed, stop_requested_at: 'x' } as AttemptRecord },
      'stopped',
      'by you',
    ],
    ['exit 1 while it waited for a save to stop', { ...evidence, record: one, entry: waits }, 'failed', 'exit code 1'],
    ['no exit record while it waited for a save', { ...evidence, record: unended, entry: waits }, 'interrupted', 'pod'],
    ['no exit record', { ...evidence, record: unended }, 'interrupted', 'pod or the runner'],
    ['no exit record after a stop', { ...evidence, record: unended, entry: asked }, 'stopped', 'by you'],
    ['no exit record, in a copy', { ...evidence, record: unended, copyOf: '/o/cat' }, 'stopped', 'a copy of /o/cat'],
    ['exit 1, in a copy made afterwards', { ...evidence, record: one, copyOf: '/o/cat' }, 'failed', 'exit code 1'],
    ['no runner at all', { ...evidence, record: null }, 'interrupted', 'before the trainer had started'],
  ] as const)('%s', (_, given, outcome, reason) => {
    const settled = settle(given);
    expect(settled.outcome).toBe(outcome);
    expect(settled.reason_code === null).toBe(reason === null);
    if (reason === null) expect(settled.reason).toBeNull();
    else expect(settled.reason).toContain(reason);
  });

  test.each([
    ['a stop after the final weights were whole', { entry: asked }, true],
    ['a stop while they were written', { entry: asked, newFinal: { wrong: 'is cut short' } }, false],
    ['a stop before they were', { entry: asked, newFinal: null }, false],
    ['a stop with weights that say nothing of the steps', { entry: asked, stepsLeft: null }, false],
    ['a crash on the way out', {}, true],
  ] as const)('%s: whether everything was trained by then', (_, given, trained) => {
    const { outcome, all_trained, reason } = settle({ ...evidence, record: killed, ...given });
    expect([outcome, all_trained]).toEqual(['entry' in given ? 'stopped' : 'failed', trained]);
    expect(reason?.includes('Everything had been trained by then, and cat.safetensors is complete.')).toBe(trained);
  });
});

describe('what a session is', () => {
  const draft = {
    state: parseUiState('{"status":"draft"}').state,
    latest: null,
    liveness: dead,
    stepSeen: false,
    checkpoints: 0,
  };
  const says = (status: string) => ({ ...draft, state: parseUiState(JSON.stringify({ status })).state });
  const ended = (outcome: AttemptEntry['outcome']) => ({ ...draft, latest: entry({ outcome, ended_at: 'x' }) });
  test.each([
    ['nothing was started', draft, 'draft', false],
    ['alive before the first step', { ...draft, liveness: here, latest: entry() }, 'starting', false],
    ['alive with a step', { ...draft, liveness: here, latest: entry(), stepSeen: true }, 'running', false],
    [
      'alive after a stop was asked for',
      { ...draft, liveness: here, latest: entry({ stop_requested_at: 'x', stop_when: 'now' }), stepSeen: true },
      'stopping',
      false,
    ],
    ['completed, whatever the file says', { ...ended('completed'), state: says('running').state }, 'completed', false],
    ['interrupted', ended('interrupted'), 'stopped', true],
    ['stopped by you', ended('stopped'), 'stopped', false],
    ['a file of another tool that says running', says('running'), 'stopped', true],
    ['a file of another tool that says completed', says('completed'), 'completed', false],
    ['a status nobody knows', says('sideways'), 'draft', false],
    ['a folder without a file', { ...draft, state: null, checkpoints: 2 }, 'stopped', false],
  ] as const)('%s', (_, given, status, interrupted) => {
    expect(deriveStatus(given)).toMatchObject({ status, interrupted });
  });

  test.each([
    [{ survivors: [] }, null],
    [{ survivors: [12] }, "Process 12 can't be killed: it hangs in the kernel"],
    [{ survivors: [12, 13, 14] }, "Processes 12, 13 and 14 can't be killed: they hang in the kernel"],
  ])('alive after a stop that left %j: the reason names them, and says to restart the pod', (left, words) => {
    const latest = entry({ stop_requested_at: 'x', stop_when: 'now', ...left });
    const { status, reason } = deriveStatus({ ...draft, liveness: here, latest });
    expect(status).toBe('stopping');
    expect(reason).toEqual(words && expect.stringMatching(`^${words}.* Restart the pod, then resume the training.$`));
    expect(deriveStatus({ ...draft, latest: { ...latest, outcome: 'stopped' } }).reason).toBeNull();
  });

  test('what lives on another pod is running, and says where', () => {
    const elsewhere: Liveness = { alive: 'elsewhere', hostname: 'pod-b', silentSeconds: 4, attempt: record };
    const derived = deriveStatus({ ...draft, liveness: elsewhere, latest: entry() });
    expect(derived).toMatchObject({ status: 'running', reason: expect.stringContaining('pod-b') });
    const asked = entry({ stop_requested_at: 'x', stop_when: 'now' });
    const stopping = deriveStatus({ ...draft, liveness: elsewhere, latest: asked });
    expect(stopping).toMatchObject({ status: 'stopping', reason: expect.stringContaining('stopped on pod-b') });
  });
});
