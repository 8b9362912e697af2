import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../sidecar.js';
import { lacksSlurm, startCluster, type TestCluster } from './cluster.js';

describe.skipIf(lacksSlurm())('the test cluster', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.leave());

  const submit = async (line: string, ...options: string[]) =>
    (await cluster.run('sbatch', '--parsable', '-o', `${cluster.folder}/%j.out`, ...options, '--wrap', line)).trim();
  const stateOf = async (job: string) => (await cluster.run('squeue', '-h', '-t', 'all', '-j', job, '-o', '%T')).trim();

  test('runs a job on each node, with a GPU of its own', async () => {
    const jobs = await Promise.all(
      cluster.nodes.map((node) => submit('echo $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES', '-w', node, '--gres=gpu:1')),
    );
    for (const job of jobs)
      await until(
        () => stateOf(job),
        (state) => state === 'COMPLETED',
      );
    expect(jobs.map((job) => readFileSync(`${cluster.folder}/${job}.out`, 'utf8'))).toEqual([
      'n1 0\n',
      'n2 0\n',
      'n3 0\n',
    ]);
  });

  test('keeps its jobs while a controller and a slurmd are killed and come back, and drains a node', async () => {
    const job = await submit('sleep 300', '-w', 'n2');
    await until(
      () => stateOf(job),
      (state) => state === 'RUNNING',
    );
    await cluster.controller.saved();
    await cluster.controller.kill();
    await cluster.node('n2').kill();
    await cluster.controller.start();
    await cluster.node('n2').start();
    expect(await stateOf(job)).toBe('RUNNING');
    await cluster.node('n3').drain();
    expect(await cluster.run('sinfo', '-h', '-n', 'n3', '-p', 'main', '-o', '%T')).toContain('drained');
    await cluster.node('n3').resume();
    await cluster.node('n2').cutPower();
    await cluster.node('n2').start();
  });
});
