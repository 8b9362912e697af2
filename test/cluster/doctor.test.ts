import { describe, expect, test } from 'vitest';
import type { Check } from '../../sidecar/doctor/check.js';
import { lacksSlurm } from './cluster.js';
import { cluster, onCluster, sidecar } from './stage.js';

describe.skipIf(lacksSlurm())('doctor, of a cluster', () => {
  onCluster({ killWait: 5, minJobAge: 60 });

  test('asks the controller, submits nothing, and lets nodes look at our files, clock and Python where asked to', async () => {
    const checks = await sidecar.get<Check[]>('diagnostics/checks?nodes=1');
    const of = (name: string) => checks.find((each) => each.name === name);
    expect(of('cluster')).toMatchObject({ status: 'ok' });
    expect(of('a job would be taken')).toMatchObject({ status: 'ok' });
    expect(of('partitions')?.found).toBe('main (nodes: 3, time limit: none), short (nodes: 1, time limit: 1 min)');
    expect(of('seconds at a job’s end')).toMatchObject({
      status: 'warning',
      todo: expect.stringContaining('time limit'),
    });
    expect(of('memory of jobs')).toMatchObject({ status: 'warning' });
    expect(of('the outputs are on a shared disk')).toMatchObject({ status: 'warning' });
    for (const queue of ['main', 'short'])
      expect(of(`a node of ${queue} sees the outputs`), JSON.stringify(checks)).toMatchObject({ status: 'ok' });
    expect(checks.filter(({ name }) => /^(clock|python) o[fn] n\d$/.test(name)).map(({ status }) => status)).toEqual(
      Array(4).fill('ok'),
    );
    expect(await cluster.run('squeue', '-h')).toBe('');
  });

  test('a controller that does not answer, and a munge that does not run, are told with what to do', async () => {
    await cluster.controller.kill();
    const [down] = (await sidecar.get<Check[]>('diagnostics/checks')).filter(({ name }) => name === 'cluster');
    expect(down).toMatchObject({
      status: 'error',
      todo: expect.stringContaining('Running trainings are not affected'),
    });
  });
});
