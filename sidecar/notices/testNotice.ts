import { randomUUID } from 'node:crypto';
import type { Notice } from './notice.js';

/** What a test sends. */
export function testNotice(url: string | null): Notice {
  return {
    id: `test:${randomUUID()}`,
    kind: 'test',
    at: new Date().toISOString(),
    level: 'plain',
    title: 'Trackside can reach you',
    text: 'This is a test. Notices about your trainings come the same way.',
    session: null,
    url,
    facts: {},
    picture: null,
    actions: [],
  };
}
