import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { percentile, residentMb } from '../bench/figures.js';
import { editTimes, page, pageTimes, statusCounts } from '../bench/manyAnswers.js';
import { manySessions, trainModel } from '../bench/manySessions.js';
import { makeTestSidecars, startSidecar, type TestSidecars } from '../sidecar.js';
import { lacks, measured } from './needs.js';

const MANY = 10_000;
/** To make and remove so many folders, in milliseconds, on a slow disk. */
const LONG = 900_000;
const TRUE = { completed: 7000, stopped: 1500, interrupted: 1000, draft: 500 };

let place: TestSidecars;
beforeAll(async () => {
  place = makeTestSidecars();
  manySessions(place.outputs, await trainModel(place), MANY);
  rmSync(join(place.outputs, 'pattern'), { recursive: true });
}, LONG);
afterAll(() => place.leave(), LONG);

describe('ten thousand sessions', () => {
  test('the first scan ever lists each of them, truly, and an edit by another program shows', async () => {
    forget();
    const begun = performance.now();
    const sidecar = await place.serve();
    expect((await fetch(sidecar.url, page)).status).toBe(200);
    const ready = (performance.now() - begun) / 1000;
    expect(await statusCounts(sidecar)).toEqual(TRUE);
    const cold = await pageTimes(sidecar.url, 100);
    const edits = await editTimes(place, sidecar, 10, 'first');
    const warm = await pageTimes(sidecar.url, 300);
    measured(
      23,
      `the first scan of ${MANY}: list ready after ${ready.toFixed(1)} s; GET / p95 ${ms(cold)} while the rest is read, ${ms(warm)} later; at most ${residentMb(sidecar.pid, 'VmHWM').toFixed(0)} MB; jq && mv shown after ${Math.max(...edits).toFixed(2)} s at most`,
    );
    await sidecar.kill('SIGTERM');
  });

  test.skipIf(lacks('strace'))('at 5 ms a stat, all are listed truly', async () => {
    forget();
    const begun = performance.now();
    const sidecar = await traced('statx', 'statx:delay_enter=5000');
    try {
      expect((await fetch(sidecar.url, page)).status).toBe(200);
      const ready = (performance.now() - begun) / 1000;
      expect(await statusCounts(sidecar)).toEqual(TRUE);
      measured(
        23,
        `${MANY} at 5 ms a stat: list ready after ${ready.toFixed(1)} s, the program's own loading included`,
      );
    } finally {
      await sidecar.end();
    }
  });

  test.skipIf(lacks('strace'))('where inotify reports nothing, an edit by another program shows', async () => {
    const sidecar = await traced('inotify_add_watch', 'inotify_add_watch:error=ENOSPC');
    try {
      const edits = await editTimes(place, sidecar, 5, 'deaf');
      measured(23, `${MANY}, no inotify: jq && mv shown after ${Math.max(...edits).toFixed(2)} s at most`);
    } finally {
      await sidecar.end();
    }
  });
});

/** As on the first start ever. */
function forget(): void {
  rmSync(join(place.outputs, '.trackside-facts.ndjson'), { force: true });
}

/** A sidecar some of whose system calls are tampered with. `end` ends it, and strace with it. */
async function traced(calls: string, inject: string) {
  const strace = ['strace', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null'];
  const sidecar = await startSidecar(
    {
      TRACKSIDE_OUTPUTS: place.outputs,
      TRACKSIDE_DATASETS: place.datasets,
      TRACKSIDE_PRIVATE: join(place.folder, 'private'),
      TRACKSIDE_PORT: '0',
      TRACKSIDE_NO_LOGIN: '1',
    },
    [...strace, '-e', `trace=${calls}`, '-e', `inject=${inject}`],
  );
  const [pid] = readFileSync(`/proc/${sidecar.pid}/task/${sidecar.pid}/children`, 'utf8').split(' ').map(Number);
  return {
    ...sidecar,
    async end() {
      if (pid) process.kill(pid, 'SIGKILL');
      await sidecar.kill('SIGTERM');
    },
  };
}

function ms(times: readonly number[]): string {
  return `${percentile(times, 95).toFixed(0)} ms`;
}
