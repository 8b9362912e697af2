import { expect, test } from 'vitest';
import type { SessionFacts } from '../../../sidecar/sessions/facts.js';
import { activeElsewhere, activeSessions } from '../../../sidecar/sessions/outputs/active.js';
import * as some from '../../views/samples.js';

const now = new Date('2026-11-22T12:00:00Z');
const is = (name: string, more: Partial<SessionFacts>): SessionFacts => ({ ...some.interrupted, name, ...more });
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3600_000).toISOString();
/** In the order of the list: newest first. */
const all = [
  is('draft-just-made', { status: 'draft', interrupted: false, attempts: [], timestamp: null, next: 'start' }),
  is('interrupted', { next: 'resume' }),
  is('running', { status: 'running', interrupted: false, next: 'stop' }),
  is('done-lately', { status: 'completed', interrupted: false, completed_at: hoursAgo(2), next: 'train further' }),
  is('done-long-ago', { status: 'completed', interrupted: false, completed_at: hoursAgo(50), next: 'train further' }),
  is('failed', { status: 'failed', interrupted: false, next: 'start over' }),
];
const names = (sessions: SessionFacts[]) => sessions.map(({ name }) => name);

test('the banner shows what lives before all, then the newest that want attention', () => {
  const shown = ['running', 'draft-just-made', 'interrupted', 'done-lately', 'failed'];
  expect(names(activeSessions(all, now))).toEqual(shown);
});

test('other pages show what lives and what a click would take on, but not the session they are about', () => {
  expect(names(activeElsewhere(all))).toEqual(['running', 'interrupted']);
  expect(names(activeElsewhere(all, 'running'))).toEqual(['interrupted']);
});
