import { afterAll, beforeAll, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { asStarted, makeTestSidecars, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { pause, percentile, residentMb, tell } from './figures.js';
import { editTimes, page, pageTimes } from './manyAnswers.js';
import { manySessions, trainModel } from './manySessions.js';

const LONG = 1_800_000;

let place: TestSidecars;
beforeAll(async () => {
  place = makeTestSidecars();
  manySessions(place.outputs, await trainModel(place), 10_000);
}, LONG);
afterAll(() => place.leave(), LONG);

/** "List ready": `GET /` answers 200 with all sessions in it, each with its true status. Counted from the start of the process. */
for (const [which, tag] of [
  ['the first scan ever', 'first'],
  ['the next start', 'next'],
] as const) {
  test(`ten thousand sessions, ${which}`, async () => {
    const begun = performance.now();
    const sidecar = await place.serve(asStarted);
    const answer = await fetch(sidecar.url, page);
    await answer.text();
    const ready = (performance.now() - begun) / 1000;
    if (answer.status !== 200) throw new Error(`GET / answered ${answer.status}`);
    tell(`10,000 sessions, ${which}: list ready`, '≤ 2 s', `${ready.toFixed(1)} s`);
    const early = await pageTimes(sidecar.url, 100);
    const whole = await wholeAfter(sidecar, begun);
    const warm = await pageTimes(sidecar.url, 300);
    const told = `${percentile(warm, 95).toFixed(1)} ms (${percentile(early, 95).toFixed(1)} ms until all were read whole, after ${whole.toFixed(0)} s)`;
    tell(`10,000 sessions, ${which}: \`GET /\` p95`, '≤ 50 ms warm', told);
    const edits = await editTimes(place, sidecar, 10, tag);
    tell(`10,000 sessions, ${which}: an edit by \`jq\` shows`, '≤ 2 s', `${Math.max(...edits).toFixed(2)} s at most`);
    const [now, most] = [residentMb(sidecar.pid), residentMb(sidecar.pid, 'VmHWM')].map((mb) => mb.toFixed(0));
    tell(`10,000 sessions, ${which}: resident memory`, '≤ 250 MB', `${now} MB, at most ${most} MB`);
    await sidecar.kill('SIGTERM');
  });
}

/** Seconds from `begun` until every session was read whole. Asked rarely: the answer is 20 MB of JSON. */
async function wholeAfter(sidecar: Sidecar, begun: number): Promise<number> {
  await until(
    async () => {
      await pause(5000);
      return (await sidecar.get<SessionFacts[]>('sessions')).every((facts) => facts.looked_into);
    },
    (all) => all,
    1200,
  );
  return (performance.now() - begun) / 1000;
}
