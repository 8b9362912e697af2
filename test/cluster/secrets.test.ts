import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { until } from '../sidecar.js';
import { lacksSlurm } from './cluster.js';
import { cluster, onCluster, place, sidecar } from './stage.js';
import { jobOf, slowly, stepped, train } from './trainings.js';

const TOKEN = 'canary-token-of-the-sidecar-0001';
const HUB = 'hf_canaryOfTheHub000000000000002';
const HOOK = 'canary-of-a-notice-000000000003';

describe.skipIf(lacksSlurm())('nothing of a secret is shown to others on a cluster', () => {
  let job: string;
  onCluster({}, { ...slowly, TRACKSIDE_TOKEN: TOKEN, HF_TOKEN: HUB });
  beforeAll(async () => {
    const url = 'http://127.0.0.1:9/hook';
    expect((await sidecar.send('PUT', 'notices/channels/webhook', { url, secret: HOOK })).status).toBeLessThan(300);
    await train(place, sidecar, 'cat');
    job = jobOf(await sidecar.until('cat', stepped(2), 60));
  });

  const has = (text: string) => [TOKEN, HUB, HOOK].filter((canary) => text.includes(canary));

  test('what Slurm tells of the job, and the script that it keeps', async () => {
    const said = await cluster.run('scontrol', '-dd', 'show', 'job', job);
    expect(said).toContain(`JobId=${job}`);
    expect(has(said)).toEqual([]);
    const script = await cluster.run('scontrol', 'write', 'batch_script', job, '-');
    expect(script).toContain('runner.py');
    expect(has(script)).toEqual([]);
    expect(has(await cluster.run('squeue', '-h', '-O', 'name:200,comment:200,command:400,workdir:400'))).toEqual([]);
  });

  test('the nodes’ spool folders, Slurm’s logs and the session’s own files', () => {
    for (const folder of ['log', ...cluster.nodes.map((node) => `spool.${node}`)].map((name) =>
      join(cluster.folder, name),
    ))
      for (const [path, text] of textsIn(folder)) expect(has(text), path).toEqual([]);
    const own = textsIn(join(place.outputs, 'cat'));
    expect(own.map(([path]) => path).filter((path) => path.endsWith('slurm.sh'))).toHaveLength(1);
    for (const [path, text] of own) expect(has(text), path).toEqual([]);
  });

  test('command lines, which everybody on a node can read, and the environment of another job', async () => {
    const lines = processes('cmdline').filter((line) => line.includes(place.outputs));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.flatMap(has)).toEqual([]);
    const printed = join(place.folder, 'other.out');
    await cluster.run('sbatch', '-o', printed, '--wrap', 'env; echo ended');
    const environment = await until(
      () => textOf(printed),
      (text) => text.includes('ended'),
      30,
    );
    expect(environment).toContain('SLURM_JOB_ID');
    expect(has(environment)).toEqual([]);
  });

  test('the trainer gets the hub’s token, as on one machine, and neither the sidecar’s nor a notice’s', () => {
    const trainers = processes('environ').filter(
      (text) => text.includes('TRACKSIDE_ATTEMPT=') && text.includes('SLURM_JOB_ID='),
    );
    expect(trainers.length).toBeGreaterThan(0);
    expect([...new Set(trainers.flatMap(has))]).toEqual([HUB]);
  });
});

function textsIn(folder: string): [path: string, text: string][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path, textOf(path)]);
}

function processes(file: 'cmdline' | 'environ'): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => textOf(`/proc/${pid}/${file}`));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
