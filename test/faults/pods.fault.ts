import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { isAlive, makeTestSidecars, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { lacks, measured } from './needs.js';
import { attemptOf, marked, startPod } from './pod.js';

const slow = { PRACTICE_STEP_SECONDS: '0.05' };

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

describe.skipIf(lacks('PID namespaces (root)'))('pods over one outputs folder', () => {
  test('a restarted pod: within 10 s every session is told truly, and one click resumes', async () => {
    const first = await startPod(place, 'pod-a', slow);
    await train(first, 'done', 1);
    await first.until('done', (facts) => facts.status === 'completed');
    await train(first, 'running', 40);
    await train(first, 'asked', 40);
    await train(first, 'restarting', 40);
    for (const name of ['running', 'asked', 'restarting']) {
      await first.until(name, (facts) => (facts.progress.step ?? 0) > 12, 60);
    }
    await first.send('DELETE', 'sessions/asked/attempts/current');
    await first.until('asked', (facts) => facts.status === 'stopped');
    const before = attemptOf(place, 'running');
    await first.kill();
    await until(
      () => marked(before.id),
      (left) => left.length === 0,
    );

    // The same host name as before, and very likely the same PIDs.
    const booted = performance.now();
    const second = await startPod(place, 'pod-a', slow);
    const seconds = () => (performance.now() - booted) / 1000;
    const told = Object.fromEntries((await second.get<SessionFacts[]>('sessions')).map((facts) => [facts.name, facts]));
    const toldAfter = seconds();
    expect(told.done).toMatchObject({ status: 'completed' });
    const asked = { status: 'stopped', interrupted: false, reason: expect.stringMatching(/^Paused at step \d+\./) };
    expect(told.asked).toMatchObject(asked);
    expect(told.running).toMatchObject({ status: 'stopped', interrupted: true, next: 'resume' });
    expect(toldAfter).toBeLessThan(10);

    const resumed = await second.send('POST', 'sessions/running/attempts', { kind: 'resume' });
    expect(resumed).toMatchObject({
      status: 201,
      body: { kind: 'resume', first_epoch: told.running?.resume?.first_epoch },
    });
    await second.until('running', (facts) => facts.status === 'running' && (facts.progress.step ?? 0) > 10);
    measured(
      8,
      `restarted pod: all told truly ${toldAfter.toFixed(1)} s after its boot, resumed by one POST at ${seconds().toFixed(1)} s`,
    );
    await second.kill();
  });

  test('a pod that is shut down tells everything in it to end: interrupted, not stopped by hand, and resumed by itself', async () => {
    const on = { ...slow, TRACKSIDE_AUTO_RESUME_DELAYS: '0.5' };
    const first = await startPod(place, 'pod-a', on);
    await train(first, 'cat', 40, { enable_monitoring: true });
    await train(first, 'byhand', 40, { enable_monitoring: true });
    for (const name of ['cat', 'byhand']) {
      await first.until(name, (facts) => (facts.progress.epoch ?? 0) >= 2 && (facts.progress.step ?? 0) > 12, 60);
    }
    const inside = [
      'nsenter',
      '-t',
      readFileSync(`/proc/${first.pid}/task/${first.pid}/children`, 'utf8').trim(),
      '-p',
    ];
    const shell = (script: string) => execFileSync('env', [...inside, '-m', 'sh', '-c', script], { stdio: 'ignore' });
    shell(`kill $(cat ${join(place.outputs, 'byhand', 'training.pid')})`);
    await first.until('byhand', (facts) => facts.status === 'stopped' && !facts.interrupted);
    await new Promise((resolve) => setTimeout(resolve, 6000));
    shell('kill -TERM -1');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await first.kill();
    const second = await startPod(place, 'pod-a', on);
    const resumed = await second.until('cat', (facts) => facts.attempts.length === 2 && facts.status === 'running', 30);
    expect(resumed.attempts[0]?.reason).toMatch(/^The pod was shut down during the training\. Step \d+ is saved/);
    expect(await second.session('byhand')).toMatchObject({ status: 'stopped', interrupted: false });
    measured(
      8,
      'a pod shut down by SIGTERM to all: interrupted and resumed by itself; what was stopped by kill was not',
    );
    await second.kill();
  });

  test('a pod that moved to another machine at once: elsewhere while that may be, and told truly within 10 s of its boot', async () => {
    const machine = join(place.folder, 'boot_id');
    writeFileSync(machine, '00000000-0000-4000-8000-000000000000\n');
    const first = await startPod(place, 'pod-a', slow);
    await train(first, 'cat', 60);
    await first.until('cat', (facts) => (facts.progress.step ?? 0) > 12);
    await first.kill();
    const died = performance.now();
    const second = await startPod(place, 'pod-a', slow, machine);
    expect(await second.session('cat')).toMatchObject({ status: 'running', reason: expect.stringContaining('pod-a') });
    expect(await second.send('POST', 'sessions/cat/attempts', { kind: 'resume' })).toMatchObject({ status: 409 });
    await second.until('cat', (facts) => facts.status === 'stopped' && facts.interrupted, 40);
    const seconds = (performance.now() - died) / 1000;
    expect(seconds).toBeLessThan(10);
    const clicked = performance.now();
    expect(await second.send('POST', 'sessions/cat/attempts', { kind: 'resume' })).toMatchObject({ status: 201 });
    const resumed = (performance.now() - clicked) / 1000;
    expect(resumed).toBeLessThan(2);
    const id = attemptOf(place, 'cat').id;
    await second.kill();
    await until(
      () => marked(id),
      (left) => left.length === 0,
    );
    // A machine that boots later than that after the other died tells it at once.
    const minuteAgo = Date.now() / 1000 - 61;
    utimesSync(join(place.outputs, 'cat', 'attempt.json'), minuteAgo, minuteAgo);
    const third = await startPod(place, 'pod-a', slow);
    expect(await third.session('cat')).toMatchObject({ status: 'stopped', interrupted: true, next: 'resume' });
    measured(
      8,
      `moved to another machine at once: told ${seconds.toFixed(1)} s after the other died, resumed by one POST in ${resumed.toFixed(1)} s; told at once if it boots later`,
    );
    await third.kill();
  });

  test('another machine on the same volume, an hour ahead by its clock: running elsewhere as long as it lives, never started twice', async () => {
    const machine = join(place.folder, 'boot_id');
    writeFileSync(machine, '00000000-0000-4000-8000-000000000000\n');
    const here = await startPod(place, 'pod-a', slow);
    await train(here, 'cat', 100);
    await here.until('cat', (facts) => (facts.progress.step ?? 0) > 2);
    // File times as a machine gives them whose clock is an hour ahead, and that stamps files itself.
    const path = join(place.outputs, 'cat', 'attempt.json');
    const ahead = setInterval(() => utimesSync(path, Date.now() / 1000 + 3600, Date.now() / 1000 + 3600), 2000);
    const there = await startPod(place, 'pod-b', slow, machine);
    const watched = performance.now();
    while (performance.now() - watched < 15_000) {
      expect(await there.session('cat')).toMatchObject({ status: 'running', reason: expect.stringContaining('pod-a') });
      expect(await there.send('POST', 'sessions/cat/attempts', { kind: 'relaunch' })).toMatchObject({ status: 409 });
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    clearInterval(ahead);
    for (const pod of [here, there]) await pod.kill();
  });

  test('PIDs of the pod before now belong to others: they read as dead, and nobody is signalled', async () => {
    const first = await startPod(place, 'pod-a', slow);
    await train(first, 'cat', 40);
    const { pid, trainer_pid, id } = attemptOf(place, 'cat');
    await first.kill();
    const second = await startPod(place, 'pod-a', slow);
    await second.until('cat', (facts) => facts.status === 'stopped' && facts.interrupted);
    await train(second, 'dog', 40);
    const dog = attemptOf(place, 'dog');
    expect([dog.pid - pid, dog.trainer_pid - trainer_pid].every((apart) => Math.abs(apart) < 50)).toBe(true);
    expect(await second.send('DELETE', 'sessions/cat/attempts/current')).toMatchObject({ status: 409 });
    expect(marked(id)).toEqual([]);
    expect(marked(dog.id).length).toBeGreaterThanOrEqual(2);
    await second.kill();
  });

  test('two at the same time: running elsewhere is told with its host, not started twice, not removed', async () => {
    const [here, there] = [await startPod(place, 'pod-a', slow), await startPod(place, 'pod-b', slow)];
    await train(here, 'cat', 60);
    await here.until('cat', (facts) => (facts.progress.step ?? 0) > 12);
    const seen = await there.until('cat', (facts) => facts.status === 'running');
    expect(seen.reason).toContain('pod-a');
    const [trainer] = marked(attemptOf(place, 'cat').id).slice(-1);
    for (const kind of ['start', 'resume', 'relaunch']) {
      const refused = await there.send('POST', 'sessions/cat/attempts', { kind });
      expect(refused).toMatchObject({ status: 409, body: { error: { message: expect.stringContaining('pod-a') } } });
    }
    expect(await there.send('DELETE', 'sessions/cat')).toMatchObject({ status: 409 });
    expect(isAlive(trainer ?? 0)).toBe(true);

    // Still so well after several heartbeats.
    const watched = performance.now();
    while (performance.now() - watched < 20_000) {
      expect(await there.session('cat')).toMatchObject({ status: 'running', reason: expect.stringContaining('pod-a') });
      await new Promise((resolve) => setTimeout(resolve, 500));
    }

    await here.kill();
    const died = performance.now();
    const gone = await there.until('cat', (facts) => facts.status === 'stopped', 30);
    const seconds = (performance.now() - died) / 1000;
    expect(gone).toMatchObject({ interrupted: true, next: 'resume' });
    expect(seconds).toBeLessThan(10);
    expect(await there.send('POST', 'sessions/cat/attempts', { kind: 'resume' })).toMatchObject({ status: 201 });
    measured(
      8,
      `two pods: told as elsewhere for 20 s; the other killed, told after ${seconds.toFixed(1)} s and resumed here`,
    );
    await there.kill();
  });

  test('Stop in one pod ends a training of the other, at once or after its next save, also when its runner is dead', async () => {
    const machine = join(place.folder, 'boot_id');
    writeFileSync(machine, '00000000-0000-4000-8000-000000000000\n');
    const [here, there] = [await startPod(place, 'pod-a', slow), await startPod(place, 'pod-b', slow, machine)];
    const took: string[] = [];
    for (const [name, query] of [
      ['now', ''],
      ['save', '?when=after-save'],
      ['orphan', ''],
    ]) {
      await train(here, name ?? '', 200, { enable_checkpointing: true });
      await here.until(name ?? '', (facts) => (facts.progress.step ?? 0) > 12);
      const { id } = attemptOf(place, name ?? '');
      if (name === 'orphan') process.kill(marked(id).sort((a, b) => a - b)[0] ?? 0, 'SIGKILL');
      await there.until(name ?? '', (facts) => facts.status === 'running' && Boolean(facts.reason?.includes('pod-a')));
      const begun = performance.now();
      const asked = await there.send('DELETE', `sessions/${name}/attempts/current${query}`);
      expect(asked).toMatchObject({ status: 202 });
      for (const pod of [there, here]) {
        const stopped = await pod.until(name ?? '', (facts) => facts.status === 'stopped', 45);
        expect(stopped).toMatchObject({ stopped_by: 'you', interrupted: false });
      }
      took.push(`${name} ${((performance.now() - begun) / 1000).toFixed(1)} s`);
      expect(marked(id)).toEqual([]);
    }
    measured(11, `stopped from another pod: ${took.join(', ')}`);
    for (const pod of [here, there]) await pod.kill();
  });

  test('a pod whose runner died before its trainer is still believed by the other one', async () => {
    const [here, there] = [await startPod(place, 'pod-a', slow), await startPod(place, 'pod-b', slow)];
    await train(here, 'cat', 100);
    const { id } = attemptOf(place, 'cat');
    const [runner] = marked(id).sort((a, b) => a - b);
    process.kill(runner ?? 0, 'SIGKILL');
    await until(
      () => existsSync(join(place.outputs, 'cat', '.attempt.json.alive')),
      (there) => there,
    );
    const watched = performance.now();
    while (performance.now() - watched < 12_000) {
      expect(await there.session('cat')).toMatchObject({ status: 'running', reason: expect.stringContaining('pod-a') });
      expect(await there.send('POST', 'sessions/cat/attempts', { kind: 'relaunch' })).toMatchObject({ status: 409 });
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    for (const pod of [here, there]) await pod.kill();
  });

  test('a PID 1 that reaps nobody: zombies are dead, and Stop ends within its time', async () => {
    const pod = await startPod(place, 'pod-a', slow);
    await train(pod, 'cat', 60);
    const { id } = attemptOf(place, 'cat');
    await pod.until('cat', (facts) => (facts.progress.step ?? 0) > 2);
    for (const pid of marked(id)) process.kill(pid, 'SIGKILL');
    await pod.until('cat', (facts) => facts.status === 'stopped' && facts.interrupted, 3);
    await pod.send('POST', 'sessions/cat/attempts', { kind: 'relaunch' });
    await pod.until('cat', (facts) => facts.status === 'running');
    await pod.send('DELETE', 'sessions/cat/attempts/current');
    await pod.until('cat', (facts) => facts.status === 'stopped' && !facts.interrupted, 30);
    await pod.kill();
  });
});

async function train(sidecar: Sidecar, name: string, epochs: number, more: object = {}): Promise<void> {
  const settings = { ...quick, ...more, lora_name: name, max_train_epochs: epochs, start: true };
  expect(await sidecar.send('POST', 'sessions', settings)).toMatchObject({ status: 201 });
}
