import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { lacksSlurm } from '../cluster/cluster.js';
import { cluster, onCluster, place, serveAgain, sidecar } from '../cluster/stage.js';
import { begin, isOver, jobOf, slowly, stepped, stop, train, weightsOf } from '../cluster/trainings.js';
import { trainersOf } from '../sidecar.js';

describe.skipIf(lacksSlurm())('a cluster that takes places away', () => {
  const preempts = ['PreemptType=preempt/partition_prio', 'PreemptMode=CANCEL'];
  const partitions = [
    'PartitionName=cheap Nodes=n1 PriorityTier=1 PreemptMode=CANCEL GraceTime=5',
    'PartitionName=urgent Nodes=n1 PriorityTier=10 PreemptMode=OFF',
  ];
  onCluster({ nodes: 2, lines: [...preempts, ...partitions] }, slowly);

  test('a training that is preempted pauses exactly, says so, and goes on by itself, to the weights of an undisturbed one', async () => {
    await train(place, sidecar, 'undisturbed', { cluster_options: '--nodelist=n2', max_train_epochs: 16 });
    await train(place, sidecar, 'preempted', { cluster_queue: 'cheap', max_train_epochs: 16 });
    await sidecar.until('preempted', stepped(5), 120);
    const urgent = await cluster.run(
      'sbatch',
      '--parsable',
      '-p',
      'urgent',
      '-n',
      '2',
      '-o',
      '/dev/null',
      '--wrap',
      'sleep 10',
    );
    const again = await sidecar.until('preempted', ({ attempts }) => attempts.length === 2, 120);
    expect(again.attempts[0]).toMatchObject({ reason_code: 'preempted', job: { end: 'preempted' } });
    expect(again.attempts[0]?.reason).toMatch(
      /^The cluster gave its place to a more urgent job\. Step \d+ is saved; nothing is lost\.$/,
    );
    expect(again.attempts[1]).toMatchObject({ kind: 'resume', automatic: true });
    const done = await sidecar.until('preempted', ({ status }) => status === 'completed', 240);
    expect(done.progress).toMatchObject({ step: 160, epoch: 16 });
    expect((await cluster.run('scontrol', 'show', 'job', urgent.trim())).includes('JobState=COMPLETED')).toBe(true);
    await sidecar.until('undisturbed', isOver, 120);
    expect(weightsOf(place, 'preempted')).toBe(weightsOf(place, 'undisturbed'));
  });
});

describe.skipIf(lacksSlurm())(
  'a controller that comes back without its memory, and counts its jobs from 1 again',
  () => {
    onCluster({ nodes: 2 }, slowly);

    test('takes no other job for ours: what waited and what ran is told as that, the others live on, and all goes on as new jobs', async () => {
      await train(place, sidecar, 'undisturbed', { max_train_epochs: 8 });
      await sidecar.until('undisturbed', isOver, 120);
      await train(place, sidecar, 'ran', { max_train_epochs: 8 });
      await train(place, sidecar, 'waited', { cluster_options: '--hold' });
      await sidecar.until('ran', stepped(15), 60);
      const waited = await sidecar.until('waited', ({ reason }) => /JobHeldUser/.test(reason ?? ''), 30);
      const last = Number(jobOf(waited));
      await cluster.controller.kill();
      for (const file of readdirSync(join(cluster.folder, 'state')))
        rmSync(join(cluster.folder, 'state', file), { recursive: true });
      await cluster.controller.start();
      for (let number = 1; number <= last; number += 1)
        await cluster.run('sbatch', '--hold', '-o', '/dev/null', '--wrap', 'sleep 600');
      expect((await cluster.run('squeue', '-h', '-j', String(last), '-o', '%j')).trim()).toBe('wrap');
      // Before anybody has heard of it.
      await stop(sidecar, 'waited');
      expect((await sidecar.until('waited', isOver, 60)).status).toBe('stopped');
      const ran = await sidecar.until('ran', isOver, 60);
      expect(ran).toMatchObject({ status: 'stopped', next: 'resume' });
      expect(trainersOf(place, 'ran')).toEqual([]);
      const left = await cluster.run('squeue', '-h', '-t', 'PENDING', '-o', '%i');
      expect(left.trim().split('\n')).toHaveLength(last);
      expect((await begin(sidecar, 'ran', 'resume', { anyway: true })).status).toBe(201);
      expect(await sidecar.until('ran', isOver, 120)).toMatchObject({ status: 'completed', progress: { step: 80 } });
      expect(weightsOf(place, 'ran')).toBe(weightsOf(place, 'undisturbed'));
    });
  },
);

describe.skipIf(lacksSlurm())('a cluster with five hundred jobs of ours', () => {
  onCluster({ nodes: 2, lines: ['MaxJobCount=2000'] }, slowly);
  const MANY = 500;
  /** Seconds that are counted. */
  const WINDOW = 60;

  test('they cost its controller one list of jobs a poll, and one that is cancelled in the quiet is told within 10 s', async () => {
    await train(place, sidecar, 'first', { cluster_options: '--hold' });
    const first = await sidecar.until('first', (facts) => facts.status === 'pending' && jobOf(facts) !== '', 60);
    await sidecar.kill('SIGKILL');
    for (let number = 1; number < MANY; number += 1) await copyOf(first, `many-${number}`);
    await serveAgain();
    const isTold = (facts: SessionFacts) => /JobHeldUser/.test(facts.reason ?? '');
    for (let number = 1; number < MANY; number += 1) await sidecar.until(`many-${number}`, isTold, 300);
    // The minute after something happened.
    await wait(70_000);
    const [before, cpuBefore] = [await asked(), cpuSeconds()];
    await wait(WINDOW * 1000);
    const [after, cpuAfter] = [await asked(), cpuSeconds()];
    const lists = (after.get('REQUEST_JOB_INFO') ?? 0) - (before.get('REQUEST_JOB_INFO') ?? 0);
    const own = (after.get('REQUEST_JOB_USER_INFO') ?? 0) - (before.get('REQUEST_JOB_USER_INFO') ?? 0);
    const all = [...after]
      .map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const)
      .filter(([, n]) => n > 0);
    const cpu = (cpuAfter - cpuBefore) / Math.max(1, lists + own);
    console.log(
      `cluster: ${MANY} jobs, ${WINDOW} s: ${JSON.stringify(all)}; sidecar ${(1000 * cpu).toFixed(0)} ms a poll`,
    );
    expect(lists + own).toBeGreaterThan(2);
    expect(lists + own).toBeLessThanOrEqual(WINDOW / 7 + 1);
    const name = 'many-77';
    const begun = performance.now();
    await cluster.run('scancel', jobOf(await sidecar.session(name)));
    await sidecar.until(name, ({ reason_code: code }) => code === 'job_cancelled', 30);
    const seconds = (performance.now() - begun) / 1000;
    console.log(`cluster: a waiting job that another tool cancelled is told after ${seconds.toFixed(1)} s`);
    expect(seconds).toBeLessThan(10);
  }, 1_200_000);

  /** Another session of the same record, with a real job of its own. */
  async function copyOf({ attempts, output_path: from }: SessionFacts, name: string): Promise<void> {
    const folder = join(place.outputs, name);
    mkdirSync(folder);
    for (const file of ['train.sh', 'slurm.sh', 'dataset.toml'])
      cpSync(join(from, file), join(folder, file), { force: true });
    const own = randomUUID();
    const id = (
      await cluster.run('sbatch', '--parsable', '--hold', '--no-requeue', '-J', `ts-${own}`, join(folder, 'slurm.sh'))
    ).trim();
    const text = readFileSync(join(from, 'ui_state.json'), 'utf8').replaceAll(from, folder);
    const record = JSON.parse(text.replaceAll(attempts[0]?.id ?? '', own));
    record.lora_name = name;
    record.attempts[0].job.id = id;
    writeFileSync(join(folder, 'ui_state.json'), JSON.stringify(record));
  }

  /** The controller's own count of requests, by kind. */
  async function asked(): Promise<Map<string, number>> {
    const printed = await cluster.run('sdiag');
    const [, byKind = ''] = printed.split('by message type');
    const [kinds = ''] = byKind.split('by user');
    return new Map(
      [...kinds.matchAll(/(\w+)\s+\(\s*\d+\) count:(\d+)/g)].map(([, kind = '', count]) => [kind, Number(count)]),
    );
  }

  function cpuSeconds(): number {
    const fields = readFileSync(`/proc/${sidecar.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    // And of its ended children: Slurm's programs.
    return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / 100;
  }
});
