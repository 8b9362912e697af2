import { get } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { asStarted, makeTestSidecars, quick, type TestSidecars } from '../sidecar.js';
import { median, pause, percentile, residentMb, tell } from './figures.js';
import { addCheckpoint } from './longTraining.js';

const STREAMS = 200;
const SECONDS = 20;

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

test(`${STREAMS} open pages of a training that saves ten times a second`, async () => {
  const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.01', ...asStarted });
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 5000, start: true });
  await sidecar.until('cat', (facts) => facts.status === 'running');
  // However slow the machine makes the trainer: what lies there, and is added, is the same.
  const folder = join(place.outputs, 'cat');
  let saved = 0;
  const save = () => addCheckpoint(folder, 'cat', 6000 + ++saved);
  while (saved < 300) save();
  const saving = setInterval(save, 100);
  let heard = 0;
  for (let at = 0; at < STREAMS; at += 1) {
    get(new URL('sessions/cat/events', sidecar.url), { agent: false }, (answer) => {
      answer.on('data', (chunk: Buffer) => (heard += chunk.length)).on('error', () => {});
    }).on('error', () => {});
  }
  const times: number[] = [];
  let most = 0;
  for (const began = performance.now(); performance.now() - began < SECONDS * 1000; ) {
    times.push(await answered(sidecar.url));
    most = Math.max(most, residentMb(sidecar.pid));
    await pause(100);
  }
  clearInterval(saving);
  const checkpoints = await sidecar.get<unknown[]>('sessions/cat/checkpoints');
  const sent = `${(heard / STREAMS / SECONDS / 1024).toFixed(0)} kB a second and page`;
  const found = `${percentile(times, 95).toFixed(0)} ms, median ${median(times).toFixed(0)} ms (${sent}; ${checkpoints.length} checkpoints by the end)`;
  tell(`${STREAMS} streams while a training saves ten times a second: \`GET /\` p95`, '≤ 250 ms', found);
  tell(`${STREAMS} streams: resident memory, at most`, '≤ 300 MB', `${most.toFixed(0)} MB`);
});

/** Milliseconds to the whole answer, on a connection of its own. */
function answered(url: string): Promise<number> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { agent: false, headers: { Accept: 'text/html' } }, (answer) => {
      answer.resume().on('end', () => resolve(performance.now() - begun));
    }).on('error', reject);
  });
}
