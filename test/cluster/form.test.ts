import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Offers } from '../../sidecar/launchers/launcher.js';
import type { HandRunFacts } from '../../sidecar/sessions/byHandFacts.js';
import { BUSY } from '../busy.js';
import { quick, until } from '../sidecar.js';
import { lacksSlurm } from './cluster.js';
import { cluster, onCluster, place, sidecar } from './stage.js';

describe.skipIf(lacksSlurm())('a cluster in the form and on the page of the machine', () => {
  onCluster();

  const draft = (fields: Record<string, unknown>, of = sidecar) =>
    of.send('POST', 'sessions', { ...quick, lora_name: 'cat', ...fields });

  test('the API offers partitions, nodes and GPUs by type', async () => {
    const { queues, missing } = await sidecar.get<Offers>('cluster');
    expect(missing).toBeNull();
    expect(queues.map(({ name, isDefault, maxMinutes }) => [name, isDefault, maxMinutes])).toEqual([
      ['main', true, null],
      ['short', false, 1],
    ]);
    expect(queues[0]?.nodes.map(({ name, state, gpus }) => [name, state, gpus])).toEqual([
      ['n1', 'free', [{ type: null, total: 2, used: 0 }]],
      ['n2', 'free', [{ type: null, total: 2, used: 0 }]],
      ['n3', 'free', [{ type: 'a100', total: 2, used: 0 }]],
    ]);
  });

  test('without JavaScript the form takes what is asked of the cluster, and says beside a field what is wrong', async () => {
    const form = await page('new');
    expect(form).toContain('Where it runs');
    expect(form).toContain('Cluster: 6 of 6 GPUs free.');
    expect(await page('')).toContain('Cluster: 6 of 6 GPUs free.');
    const sent = await send({ launcher: 'slurm', cluster_queue: 'main', cluster_gpus: '3', cluster_nodes: '2' });
    expect(sent.status).toBe(422);
    const html = await sent.text();
    expect(html).toMatch(/id="f-cluster_gpus-error">No node of main has 3 GPUs: 2 at most\./);
    expect(html).toMatch(/id="f-cluster_nodes-error">One training over several nodes does not work/);
    expect(html).toMatch(/id="f-cluster_gpus"[^>]*value="3"/);
    const made = await send({
      ...{ launcher: 'slurm', cluster_queue: 'main', cluster_gpus: '1', cluster_gpu_type: 'a100' },
      ...{ cluster_minutes: '1:30:00', cluster_memory_mib: '1G', cluster_options: '--exclude=n1' },
    });
    expect(made.status).toBe(303);
    expect((await sidecar.session('from-the-form')).settings).toMatchObject({
      ...{ launcher: 'slurm', cluster_queue: 'main', cluster_gpus: 1, cluster_gpu_type: 'a100' },
      ...{ cluster_minutes: 90, cluster_memory_mib: 1024, cluster_options: '--exclude=n1' },
    });
  });

  test('the API takes the same fields; what only a cluster knows means the cluster', async () => {
    expect((await draft({ cluster_queue: 'nope' })).body.error).toMatchObject({
      fields: { cluster_queue: 'The cluster has no partition nope for you. There is main, short.' },
    });
    const { body } = await draft({ cluster_queue: 'short' });
    expect(body.settings).toMatchObject({ launcher: 'slurm', cluster_queue: 'short', cluster_gpus: 0 });
    expect((await draft({ launcher: 'moon' })).body.error.message).toContain('neither local nor slurm');
  });

  test('a draft is moved to this machine and back, and keeps what was asked of the cluster', async () => {
    const { name } = (await draft({ cluster_queue: 'main', cluster_minutes: 30 })).body;
    expect((await sidecar.send('PATCH', `sessions/${name}`, { launcher: 'local' })).status).toBe(200);
    const back = await sidecar.send('PATCH', `sessions/${name}`, { launcher: 'slurm' });
    expect(back.body.settings).toMatchObject({ launcher: 'slurm', cluster_queue: 'main', cluster_minutes: 30 });
  });

  test('a training that somebody submitted by hand is found by its script, shown with its step, not started twice, and stopped once that is confirmed', async () => {
    const lines = 'steps:  30%|###       | 120/400 [01:00<02:20,  2.00it/s, avr_loss=0.1]';
    const submit = async (folder: string) => {
      const script = `${place.folder}/mine.sh`;
      const train = 'python sdxl_train_network.py --output_dir "$OUT" --output_name cat';
      writeFileSync(script, `#!/bin/sh\nOUT=${folder}\necho '${lines}'\nsleep 300 || ${train}\n`);
      const words = ['--parsable', '--mem=100M', '-w', 'n2', '-J', 'my; job', '-o', `${place.folder}/mine-%j.out`];
      return (await cluster.run('sbatch', ...words, script)).trim();
    };
    const elsewhere = await submit(`${place.folder}/elsewhere`);
    const runs = await until(handJobs, ([run]) => run?.progress.step === 120, 40);
    const job = { id: elsewhere, hosts: ['n2'] };
    expect(runs).toMatchObject([{ name: 'cat', pid: null, job, script: 'sdxl_train_network.py', status: 'running' }]);
    const home = await page('');
    expect(home).toMatch(/Also running (?:on this machine and )?on the cluster/);
    expect(home).toMatch(
      new RegExp(`sdxl_train_network\\.py, job ${elsewhere} on n2, started[\\s\\S]+step 120 of 400`),
    );
    expect(home).toContain(`Stop job ${elsewhere}`);
    const at = `by-hand/jobs/${elsewhere}`;
    expect(await sidecar.send('DELETE', at)).toMatchObject({ body: { error: { code: 'started_by_hand' } } });
    expect(await sidecar.send('DELETE', at, { confirm: 'by-hand' })).toMatchObject({
      status: 202,
      body: { status: 'stopping' },
    });
    await until(
      () => cluster.run('squeue', '-h', '-t', 'R,CG', '-o', '%i'),
      (left) => left === '',
      30,
    );
    const { name } = (await draft({ launcher: 'slurm' })).body;
    const mine = await submit(`${place.outputs}/${name}`);
    await until(
      () => cluster.run('squeue', '-h', '-t', 'R', '-o', '%i'),
      (running) => running.trim() === mine,
      30,
    );
    expect(await sidecar.send('POST', `sessions/${name}/attempts`, { kind: 'start' })).toMatchObject({
      status: 409,
      body: { error: { code: 'already_running' } },
    });
    const shown = await sidecar.until(name, ({ by_hand }) => by_hand !== null);
    expect(shown).toMatchObject({
      ...{ status: 'running', next: 'stop', reason: `It was started by hand, job ${mine} on n2.` },
      by_hand: { pid: null, job: { id: mine, hosts: ['n2'] } },
    });
    const current = `sessions/${name}/attempts/current`;
    expect(await sidecar.send('DELETE', current, { confirm: 'by-hand', job: '1' })).toMatchObject({
      body: { error: { code: 'another_process' } },
    });
    expect((await sidecar.send('DELETE', current, { confirm: 'by-hand', job: mine })).status).toBe(202);
    await sidecar.until(name, ({ by_hand, status }) => by_hand === null && status !== 'running', 30);
  });

  test('a training by hand that still waits is shown with why and its place, keeps its folder, and is taken out of the queue alone', async () => {
    const submit = async (folder: string, ...words: string[]) => {
      const script = `${place.folder}/waits.sh`;
      writeFileSync(
        script,
        `#!/bin/sh\nsleep 300 || python sdxl_train_network.py --output_dir ${folder} --output_name cat\n`,
      );
      return (await cluster.run('sbatch', '--parsable', '--mem=100M', '-o', '/dev/null', ...words, script)).trim();
    };
    const waits = await submit(`${place.folder}/later`, '--hold');
    const list = await submit(`${place.folder}/list`, '--array=1-4%2');
    const other = (await cluster.run('sbatch', '--parsable', '--hold', '-J', 'ts-mine', '--wrap=sleep 1')).trim();
    const runs = await until(handJobs, (found) => found.length === 4, 40);
    const of = (id: string) => runs.find(({ job }) => job?.id === id);
    expect(of(waits)).toMatchObject({
      status: 'pending',
      job: {
        hosts: [],
        waits: { place: expect.any(Number), reason: 'It is held until somebody releases it (JobHeldUser).' },
      },
      progress: { step: null },
    });
    expect(of(`${list}_[3-4%2]`)).toMatchObject({ status: 'pending' });
    expect(of(`${list}_1`)).toMatchObject({ status: 'running' });
    expect(runs.some(({ job }) => job?.id === other)).toBe(false);
    const home = await page('');
    expect(home).toMatch(/Also running or waiting (?:on this machine and )?on the cluster/);
    expect(home).toMatch(new RegExp(`job ${waits}, submitted[\\s\\S]+number \\d in the queue · It is held`));
    const at = `by-hand/jobs/${encodeURIComponent(`${list}_[3-4%2]`)}`;
    expect((await sidecar.send('DELETE', at)).body.error.message).toContain("can't submit it again");
    expect((await sidecar.send('DELETE', at, { confirm: 'by-hand' })).status).toBe(202);
    const left = await until(
      () => cluster.run('squeue', '-h', '-o', '%i %T'),
      (text) => !text.includes(`${list}_[`),
      30,
    );
    expect(
      left
        .split('\n')
        .filter((line) => line.startsWith(list))
        .sort(),
    ).toEqual([`${list}_1 RUNNING`, `${list}_2 RUNNING`]);
    const { name } = (await draft({ launcher: 'slurm' })).body;
    const mine = await submit(`${place.outputs}/${name}`, '--hold');
    const shown = await sidecar.until(name, ({ by_hand }) => by_hand !== null, 40);
    expect(shown).toMatchObject({ status: 'pending', next: 'stop' });
    expect(shown.reason).toMatch(
      new RegExp(`^Job ${mine}, submitted by hand, (?:waits|is number \\d) in the cluster's queue\\.`),
    );
    expect(await sidecar.send('POST', `sessions/${name}/attempts`, { kind: 'start' })).toMatchObject({ status: 409 });
    const current = `sessions/${name}/attempts/current`;
    expect((await sidecar.send('DELETE', current, { confirm: 'by-hand', job: mine })).status).toBe(202);
    await sidecar.until(name, ({ by_hand, status }) => by_hand === null && status === 'draft', 30);
    await cluster.run('scancel', waits, list, other);
  });

  test('what was started asks for other things with its next attempt', async () => {
    const { name } = (await draft({ launcher: 'local', start: true })).body;
    await sidecar.until(name, ({ status }) => status === 'completed', 60);
    const change = (fields: object) => sidecar.send('PATCH', `sessions/${name}`, fields);
    expect((await change({ launcher: 'slurm', cluster_minutes: 'soon' })).body.error.fields).toHaveProperty(
      'cluster_minutes',
    );
    const { body } = await change({ launcher: 'slurm', cluster_queue: 'main', cluster_minutes: '2:00:00' });
    expect(body.settings).toMatchObject({ launcher: 'slurm', cluster_queue: 'main', cluster_minutes: 120 });
    expect((await change({ max_train_epochs: 9 })).status).toBeGreaterThanOrEqual(400);
    const shown = await page(`sessions/${name}`);
    expect(shown).toContain('Where its next attempt runs');
    expect(shown).toMatch(/name="cluster_minutes"\s+value="120"/);
    const wrong = await send({ launcher: 'slurm', cluster_minutes: 'soon' }, `sessions/${name}?_method=PATCH`);
    expect(await wrong.text()).toContain('Enter minutes, such as 90');
    const right = await send(
      { launcher: 'slurm', cluster_minutes: '', cluster_gpus: '2' },
      `sessions/${name}?_method=PATCH`,
    );
    expect(right.status).toBe(303);
    const { settings } = await sidecar.session(name);
    expect(settings).toMatchObject({ cluster_queue: 'main', cluster_gpus: 2 });
    expect(settings).not.toHaveProperty('cluster_minutes');
  });

  test('while the controller is down, pages come at once and say so', async () => {
    await cluster.controller.kill();
    // What one knows of its cluster may be 15 s old: another one asks for the first time.
    const other = await place.serve(cluster.environment);
    const begun = performance.now();
    for (const path of ['machine', 'new', '']) await page(path, other);
    expect(performance.now() - begun).toBeLessThan(5000 * BUSY);
    for (const path of ['machine', 'new', ''])
      await until(
        () => page(path, other),
        (html) => html.includes('controller does not answer'),
      );
    expect((await draft({ cluster_queue: 'main' }, other)).status).toBe(201);
  });

  /** Without what another test trains on this machine meanwhile. */
  const handJobs = async () => (await sidecar.get<HandRunFacts[]>('by-hand')).filter(({ job }) => job !== null);

  const page = async (path: string, of = sidecar) =>
    (await fetch(new URL(path, of.url), { headers: { Accept: 'text/html' } })).text();

  const send = (fields: Record<string, string>, to = '') =>
    fetch(new URL(to || 'sessions', sidecar.url), {
      method: 'POST',
      redirect: 'manual',
      headers: {
        Accept: 'text/html',
        'Content-Type': 'application/x-www-form-urlencoded',
        Origin: new URL(sidecar.url).origin,
      },
      body: new URLSearchParams({
        ...(to ? {} : { lora_name: 'from the form', trainer: 'practice', dataset: 'example' }),
        ...fields,
      }),
    });
});
