import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { lacksSlurm } from '../cluster/cluster.js';
import { cluster, onCluster, place } from '../cluster/stage.js';
import { asksFor, begin, isOver, slowly, stepped, train, weightsOf } from '../cluster/trainings.js';
import { prepareStandIn, training } from '../sd-scripts/standIn.js';

/** Runs in every Python of a job: once a file is there, it takes memory as a leak does, 20 MiB at a time. */
const GREEDY = `
import os, threading, time
def eat():
    held = []
    while not os.path.exists(os.environ["GREEDY_WHEN"]):
        time.sleep(0.1)
    while len(held) < 20:
        held.append(bytearray(b"x") * (20 << 20))
        time.sleep(0.1)
    time.sleep(600)
if os.environ.get("GREEDY_WHEN") and os.environ.get("SLURM_JOB_ID"):
    threading.Thread(target=eat, daemon=True).start()
`;

describe.skipIf(lacksSlurm())('a cluster that ends what uses more memory than it asked for', () => {
  onCluster(
    {
      nodes: 1,
      lines: [
        'JobAcctGatherType=jobacct_gather/linux',
        'JobAcctGatherFrequency=1',
        'JobAcctGatherParams=OverMemoryKill',
      ],
    },
    slowly,
  );

  test('a training that grows too large says so, is not repeated by itself, and goes on with more memory from its last save', async () => {
    const hook = join(place.folder, 'hook');
    const when = join(place.folder, 'now');
    mkdirSync(hook);
    writeFileSync(join(hook, 'sitecustomize.py'), GREEDY);
    const own = await place.serve({ ...cluster.environment, ...slowly, PYTHONPATH: hook, GREEDY_WHEN: when });
    await train(place, own, 'undisturbed');
    await own.until('undisturbed', isOver, 120);
    await train(place, own, 'grows', { enable_monitoring: true, cluster_memory_mib: 150 });
    await own.until('grows', stepped(12), 120);
    writeFileSync(when, '');
    const dead = await own.until('grows', ({ reason_code: code }) => code === 'out_of_memory', 60);
    expect(dead).toMatchObject({
      ...{ status: 'failed', interrupted: false, next: 'resume', auto_resume: { will: false } },
      reason: 'Its job used more memory than it had asked for. Ask for more, or use fewer workers.',
      attempts: [{ job: { end: 'out of memory' } }],
    });
    asksFor(place, 'grows', { cluster_memory_mib: 1500 });
    expect((await begin(own, 'grows', 'resume')).status).toBe(201);
    const done = await own.until('grows', isOver, 120);
    expect(done).toMatchObject({ status: 'completed', progress: { step: 40 } });
    expect(weightsOf(place, 'grows')).toBe(weightsOf(place, 'undisturbed'));
    await own.kill();
  });

  test('one that runs out of GPU memory is tried once more, as another job, with the smaller preset', async () => {
    const environment = { ...prepareStandIn(place), STAND_IN_FITS: '--fp8_base' };
    const own = await place.serve({ ...cluster.environment, ...environment });
    const asked = { launcher: 'slurm', cluster_memory_mib: 1500, retry_smaller: true, enable_checkpointing: false };
    const more = { lora_name: 'fits', vram: '12G', start: true, ...asked };
    const made = await own.send('POST', 'sessions', training(place, 'sdxl', more));
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    const ended = ({ status, attempts }: SessionFacts) =>
      attempts.length === 2 && ['completed', 'failed'].includes(status);
    const done = await own.until('fits', ended, 120);
    expect(done).toMatchObject({
      status: 'completed',
      retried_smaller: { from: '12G', to: '8G' },
      settings: { vram: '8G' },
      attempts: [
        { reason_code: 'gpu_memory', launcher: 'slurm' },
        { exit_code: 0, launcher: 'slurm' },
      ],
    });
    expect(done.attempts[1]?.job?.id).not.toBe(done.attempts[0]?.job?.id);
    await own.kill();
  });
});
