import { expect, test } from 'vitest';
import type { SessionFacts } from '../../../sidecar/sessions/facts.js';
import { activeElsewhere, activeSessions } from '../../../sidecar/sessions/outputs/active.js';
import * as some from '../../views/samples.js';

const is = (name: string, more: Partial<SessionFacts>): SessionFacts => ({
  ...some.interrupted,
  name,
  lora_name: name,
  ...more,
});
/** In the order of the list: newest first. */
const all = [
  is('draft-just-made', { status: 'draft', interrupted: false, attempts: [], timestamp: null, next: 'start' }),
  is('interrupted', { next: 'resume' }),
  is('running', { status: 'running', interrupted: false, next: 'stop' }),
  is('done', { status: 'completed', interrupted: false, next: 'train further' }),
  is('failed', { status: 'failed', interrupted: false, next: 'start over' }),
];
const names = (sessions: SessionFacts[]) => sessions.map(({ name }) => name);

test('the banner shows what lives before all, then the newest that wait for a person', () => {
  expect(names(activeSessions(all))).toEqual(['running', 'interrupted', 'failed']);
});

test('what failed waits for nobody once a newer version was made of it', () => {
  const failed = is('cat-v1', {
    lora_name: 'cat',
    status: 'failed',
    interrupted: false,
    next: 'start over',
    version: 1,
  });
  const next = is('cat-v2', {
    lora_name: 'cat',
    status: 'completed',
    interrupted: false,
    next: 'train further',
    version: 2,
  });
  expect(names(activeSessions([next, failed]))).toEqual([]);
  expect(names(activeSessions([failed]))).toEqual(['cat-v1']);
});

test('other pages show what lives and what a click would take on, but not the session they are about', () => {
  expect(names(activeElsewhere(all))).toEqual(['running', 'interrupted']);
  expect(names(activeElsewhere(all, 'running'))).toEqual(['interrupted']);
});
