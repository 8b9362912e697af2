import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { makeTestSidecars, projectRoot, quick, type TestSidecars, until } from '../sidecar.js';
import { lacks, measured } from './needs.js';
import { startPod } from './pod.js';

const run = promisify(execFile);
const storm = fileURLToPath(new URL('fixtures/storm.py', import.meta.url));
const runner = join(projectRoot, 'trainer-bridge', 'trackside', 'runner.py');
const NAMESPACE = ['-pf', '--mount-proc', '--uts'];

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

describe.skipIf(lacks('PID namespaces (root)'))('two pods start on one output folder', () => {
  test('1,000 starts by 8 processes while a training lives: one trainer, and every refusal within 2 s', async () => {
    const { starts, refusals, slowest } = await storms({ starts: 125, threads: 1, seconds: 0, first: 600 });
    expect(starts).toBe(0);
    expect(refusals).toBe(1000);
    expect(slowest).toBeLessThan(2);
    expect(journal()).toEqual(['only']);
    measured(1, `1,000 of 1,000 starts refused beside a living training, the slowest in ${slowest.toFixed(2)} s`);
  });

  test('1,000 starts of short trainings, one runner in ten killed: never two trainers at once', async () => {
    const { starts, refusals, slowest } = await storms({ starts: 125, threads: 1, seconds: 0.4, killed: 0.1 });
    expect(journal()).not.toContain('NOT ALONE');
    expect(journal().length).toBeGreaterThan(10);
    expect(starts).toBeGreaterThan(10);
    expect(slowest).toBeLessThan(2);
    measured(
      1,
      `of 1,000 starts ${journal().length} trained, one after the other, ${refusals} were refused, the slowest in ${slowest.toFixed(2)} s; 0 times two at once`,
    );
  });

  test('100 clicks on Start in two pods at once: one 201, ninety-nine 409', async () => {
    const pods = await Promise.all([startPod(place, 'pod-a'), startPod(place, 'pod-b')]);
    const slow = { ...quick, lora_name: 'cat', max_train_epochs: 100 };
    await pods[0]?.send('POST', 'sessions', slow);
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const begun = performance.now();
        const answer = await pods[index % 2]?.send('POST', 'sessions/cat/attempts', { kind: 'start' });
        return { status: answer?.status, seconds: (performance.now() - begun) / 1000 };
      }),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, ...Array(99).fill(409)]);
    const slowest = Math.max(...answers.filter(({ status }) => status === 409).map(({ seconds }) => seconds));
    expect(slowest).toBeLessThan(2);
    expect(numbersOfAttempts(await pods[0]?.session('cat'))).toEqual([1]);
    measured(
      1,
      `100 clicks in two pods: one 201, ninety-nine 409; the slowest of 100 at once in ${slowest.toFixed(2)} s`,
    );
    for (const pod of pods) await pod.kill();
  });
});

/** Eight storms, four in each of two PID namespaces; `first` seconds of a training that lives already. */
async function storms(of: { starts: number; threads: number; seconds: number; killed?: number; first?: number }) {
  const folder = join(place.folder, 'cat');
  mkdirSync(folder);
  const argv = (starts: number, seconds: number) => [
    ...['python3', storm, runner, folder, String(starts), String(of.threads), String(seconds), String(of.killed ?? 0)],
  ];
  const holder = of.first ? hold(folder) : null;
  if (holder) {
    await until(
      () => journal().length,
      (lines) => lines === 1,
    );
  }
  const four = Array(4)
    .fill(`${argv(of.starts, of.seconds).join(' ')} &`)
    .join(' ');
  const pods = ['pod-a', 'pod-b'].map((name) =>
    run('unshare', [...NAMESPACE, 'sh', '-c', `hostname ${name}; ${four} wait`], { maxBuffer: 2 ** 26 }),
  );
  const printed = (await Promise.all(pods)).flatMap(({ stdout }) => stdout.trim().split('\n'));
  const results = printed.flatMap((line) => JSON.parse(line) as [number, number][]);
  holder?.kill('SIGKILL');
  const refused = results.filter(([code]) => code === 75).map(([, seconds]) => seconds);
  return {
    starts: results.filter(([code]) => code === 0).length,
    refusals: refused.length,
    slowest: Math.max(...refused),
  };
}

/** A training that lives until its namespace is killed. */
function hold(folder: string) {
  const only = fileURLToPath(new URL('fixtures/only.py', import.meta.url));
  const start = `python3 -I -S ${runner} --output ${folder} --attempt first --number 1 --kind start --cwd / -- python3 ${only} ${place.folder} 600`;
  const child = execFile('unshare', [...NAMESPACE, '--kill-child', 'sh', '-c', `${start}; exit`], () => {});
  return child;
}

function numbersOfAttempts(facts: SessionFacts | undefined): number[] {
  return facts?.attempts.map(({ number }) => number) ?? [];
}

function journal(): string[] {
  try {
    return readFileSync(join(place.folder, 'journal'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}
