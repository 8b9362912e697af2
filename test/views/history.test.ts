import { expect, test } from 'vitest';
import type { Moment } from '../../sidecar/sessions/record/history.js';
import { historyView } from '../../sidecar/views/history.js';
import * as some from './samples.js';

const nothing = { first: false, began: null, status: null, reason: null, edits: [] };
const copy = {
  ...{ version: '000001-aaaa', saved_at: '2026-11-22T03:12:00.000Z', bytes: 1, status: null, attempts: 0 },
  ...{ present: false, changed: [], reason: null },
};

test.each<[Moment, string[]]>([
  [{ ...nothing, first: true }, ['The oldest copy that is kept.']],
  [nothing, ['Trackside recorded how the run was going.']],
  [{ ...nothing, status: 'running', began: { kind: 'start', automatic: false, first_epoch: 1 } }, ['Started.']],
  [
    { ...nothing, status: 'starting', began: { kind: 'resume', automatic: true, first_epoch: 19 } },
    ['Resumed automatically at epoch 19.'],
  ],
  [{ ...nothing, began: { kind: 'relaunch', automatic: false, first_epoch: 1 } }, ['Started over.']],
  [{ ...nothing, status: 'stopping' }, ['Stop was pressed.']],
  [{ ...nothing, status: 'stopped', reason: 'Stopped by you.' }, ['Stopped by you.']],
  [{ ...nothing, status: 'failed', reason: 'out of memory' }, ['Failed: Out of memory.']],
  [{ ...nothing, edits: [{ field: 'max_train_epochs', was: '16', now: '33' }] }, ['Epochs: 16 → 33.']],
  [{ ...nothing, edits: [{ field: 'notes', was: null, now: 'a\nb' }] }, ['Notes: changed.']],
])('%j is told as %j', (about, said) => {
  const page = { root: '', now: some.now, active: [] };
  const { rows } = historyView({ ...page, session: some.interrupted, versions: [{ ...copy, about }] });
  expect(rows[0]?.said).toEqual(said);
});
