import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lacksSlurm, startCluster, type TestCluster } from '../cluster/cluster.js';
import { begin, isOver, jobOf, placeDataset, slowly, stepped, stop, train, weightsOf } from '../cluster/trainings.js';
import { makeTestSidecars, type Sidecar, type TestSidecars, trainersOf, until } from '../sidecar.js';
import { fill } from './fill.js';
import { lacks } from './needs.js';

describe.skipIf(lacksSlurm() || lacks('mounting (root)'))("a cluster's volume that is full", () => {
  let cluster: TestCluster;
  let place: TestSidecars;
  let sidecar: Sidecar;
  const filler = () => join(place.outputs, 'filler');
  const free = () => {
    for (const path of [filler(), `${filler()}-2`]) rmSync(path, { force: true });
  };
  /** What was being written meanwhile, and was removed then, too. */
  const fillAll = async () => {
    fill(filler());
    await wait(1000);
    fill(`${filler()}-2`);
  };

  beforeAll(async () => {
    place = makeTestSidecars();
    placeDataset(place);
    mkdirSync(place.outputs);
    // Before its nodes are up: they see what is mounted by then.
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', place.outputs]);
    cluster = await startCluster({ nodes: 2 });
    sidecar = await place.serve({ ...cluster.environment, ...slowly });
    await train(place, sidecar, 'whole');
    await sidecar.until('whole', isOver, 120);
  });
  afterAll(async () => {
    await place?.leave().catch(() => {});
    await cluster?.leave();
    execFileSync('sh', ['-c', 'umount -l "$0" 2>/dev/null; true', place.outputs]);
    await place?.leave();
  });

  test('when a training is started: refused in words, no job is left behind, and it starts once there is space', async () => {
    await train(place, sidecar, 'submitted', { start: false });
    await fillAll();
    const refused = await begin(sidecar, 'submitted', 'start');
    expect(refused).toMatchObject({ status: 507, body: { error: { code: 'disk_full' } } });
    expect((await cluster.run('squeue', '-h', '-o', '%i')).trim()).toBe('');
    free();
    expect((await begin(sidecar, 'submitted', 'start')).status).toBe(201);
    expect(await sidecar.until('submitted', isOver, 120)).toMatchObject({ status: 'completed' });
    expect(weights('submitted')).toBe(weights('whole'));
  });

  test('when a job begins: told in words, nothing was trained, and the next start serves', async () => {
    await train(place, sidecar, 'begins', { cluster_options: '--hold' });
    const waits = await sidecar.until('begins', (facts) => jobOf(facts) !== '', 60);
    await fillAll();
    await cluster.run('scontrol', 'release', jobOf(waits));
    const told = await sidecar.until('begins', ({ status }) => status !== 'pending' && status !== 'starting', 60);
    expect(told).toMatchObject({
      ...{ status: 'failed', reason_code: 'not_started', next: 'start' },
      reason: expect.stringMatching(/^Its job ended before the trainer had started\. .*(?:No space left|disk is full)/),
    });
    free();
    expect((await begin(sidecar, 'begins', 'start')).status).toBe(201);
    await cluster.run(
      'scontrol',
      'release',
      jobOf(await sidecar.until('begins', (facts) => jobOf(facts) !== jobOf(waits), 60)),
    );
    expect(await sidecar.until('begins', isOver, 120)).toMatchObject({ status: 'completed' });
    expect(weights('begins')).toBe(weights('whole'));
  });

  test('while trainings run: what need not save lives on; what must says why, and resumes from its last save to the same weights', async () => {
    await train(place, sidecar, 'lives', { max_train_epochs: 200, save_every_n_epochs: 100 });
    await train(place, sidecar, 'saves');
    await sidecar.until('lives', stepped(3), 60);
    await sidecar.until('saves', stepped(12), 60);
    fill(filler());
    await until(page, (html) => html.includes('The disk is full'), 15);
    const dead = await sidecar.until('saves', isOver, 60);
    expect(dead).toMatchObject({ status: 'failed', reason_code: 'disk_full' });
    expect(dead.reason).toMatch(/^The disk is full\. Free some space/);
    const [trainer] = trainersOf(place, 'lives');
    free();
    const saved = (await sidecar.session('lives')).progress.step ?? 0;
    await sidecar.until('lives', stepped(saved + 5), 60);
    expect(trainersOf(place, 'lives')).toEqual([trainer]);
    const freed = await sidecar.until('saves', ({ next }) => next === 'resume', 30);
    expect(freed.resume?.step).toBe(10);
    expect((await begin(sidecar, 'saves', 'resume')).status).toBe(201);
    expect(await sidecar.until('saves', isOver, 120)).toMatchObject({ status: 'completed' });
    expect(weights('saves')).toBe(weights('whole'));
    await stop(sidecar, 'lives');
    expect(await sidecar.until('lives', isOver, 60)).toMatchObject({ status: 'stopped', stopped_by: 'you' });
  });

  const weights = (name: string) => weightsOf(place, name);
  const page = async () => (await fetch(sidecar.url, { headers: { Accept: 'text/html' } })).text();
});
