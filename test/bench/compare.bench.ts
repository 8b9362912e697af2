import { afterEach, beforeEach, test } from 'vitest';
import { makeTestSidecars, type TestSidecars } from '../sidecar.js';
import { median, residentMb, tell } from './figures.js';
import { addProducts, longTraining } from './longTraining.js';

const SESSIONS = 200;
const STEPS = 2000;

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

test('two hundred sessions in one comparison', async () => {
  const names = Array.from({ length: SESSIONS }, (_, i) => `lora-${String(i).padStart(3, '0')}`);
  for (const name of names) addProducts(longTraining(place.outputs, name, STEPS), name, 5, 40);
  const sidecar = await place.serve();
  await sidecar.get('sessions');
  const before = residentMb(sidecar.pid);
  const ask = async (accept: string, query = '') => {
    const begun = performance.now();
    const answer = await fetch(`${sidecar.url}compare?sessions=${names.join(',')}${query}`, {
      headers: { Accept: accept },
    });
    const { length } = await answer.text();
    if (answer.status !== 200) throw new Error(String(answer.status));
    return { ms: performance.now() - begun, mb: length / 1e6 };
  };
  const first = await ask('text/html');
  tell(
    `${SESSIONS} sessions of ${STEPS} steps × 5 curves: the page of a comparison, first`,
    '–',
    `${(first.ms / 1000).toFixed(2)} s, ${first.mb.toFixed(1)} MB`,
  );
  const pages: number[] = [];
  const facts: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    pages.push((await ask('text/html')).ms);
    facts.push((await ask('application/json', `&smooth=0.${round}`)).ms);
  }
  tell(`${SESSIONS} sessions: the page again`, '≤ 1 s', `${median(pages).toFixed(0)} ms`);
  tell(`${SESSIONS} sessions: its facts, smoothed otherwise`, '–', `${median(facts).toFixed(0)} ms`);
  tell(
    `${SESSIONS} sessions compared: memory more than before`,
    '–',
    `+${(residentMb(sidecar.pid) - before).toFixed(0)} MB`,
  );
});
