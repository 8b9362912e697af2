import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { trainersOf, until } from '../sidecar.js';
import { lacksSlurm } from './cluster.js';
import { cluster, onCluster, place, sidecar } from './stage.js';
import { asksFor, begin, isOver, jobOf, slowly, stepped, stop, train, weightsOf } from './trainings.js';

describe.skipIf(lacksSlurm())(
  'a training on a cluster',
  () => {
    onCluster({}, { ...slowly, TRACKSIDE_CANARY: 'not-for-others' });

    const weights = (name: string) => weightsOf(place, name);

    test.concurrent('is submitted, watched, stopped, resumed and completed on each node', async () => {
      await Promise.all(
        cluster.nodes.map(async (node) => {
          const name = `on-${node}`;
          await train(place, sidecar, name, { cluster_options: `--nodelist=${node}` });
          const runs = await sidecar.until(name, stepped(3), 60);
          expect(runs).toMatchObject({ status: 'running', attempts: [{ launcher: 'slurm', host: node, pid: null }] });
          expect(runs.reason).toContain(`It runs on ${node}, as job ${jobOf(runs)}.`);
          expect((await stop(sidecar, name)).status).toBe(202);
          const stopped = await sidecar.until(name, isOver, 60);
          expect(stopped).toMatchObject({
            status: 'stopped',
            stopped_by: 'you',
            next: 'resume',
            resume: { exact: true },
          });
          expect((await begin(sidecar, name, 'resume')).status).toBe(201);
          const done = await sidecar.until(name, isOver, 90);
          expect(done).toMatchObject({ status: 'completed', progress: { step: 40, epoch: 4, percent: 100 } });
          expect(await page(name)).toContain(node);
        }),
      );
      // What went wrong on the way, or was trained twice, would show.
      expect(weights('on-n1')).toBe(weights('on-n2'));
      expect(weights('on-n3')).toBe(weights('on-n2'));
    });

    test.concurrent('told to end by its cluster twice, it goes on by itself, exactly, to the epochs asked for', async () => {
      await train(place, sidecar, 'undisturbed');
      await train(place, sidecar, 'told', { enable_monitoring: true });
      for (const [attempt, step] of [
        [1, 4],
        [2, 14],
      ] as const) {
        const runs = await sidecar.until(
          'told',
          (facts) => facts.attempts.length === attempt && facts.status === 'running' && stepped(step)(facts),
          90,
        );
        // As --signal does before a time limit.
        await cluster.run('scancel', '-b', '-s', 'TERM', jobOf(runs));
      }
      const done = await sidecar.until(
        'told',
        ({ attempts, status }) => attempts.length === 3 && status === 'completed',
        90,
      );
      expect(done.attempts.map(({ kind, automatic }) => [kind, automatic])).toEqual([
        ['start', false],
        ['resume', true],
        ['resume', true],
      ]);
      expect(done.attempts[0]?.reason).toMatch(/Step \d+ is saved; nothing is lost\./);
      expect(done.progress).toMatchObject({ step: 40, total_steps: 40, epoch: 4 });
      await sidecar.until('undisturbed', isOver, 60);
      expect(weights('told')).toBe(weights('undisturbed'));
    });

    test.concurrent('waits in the queue with its reason and place, and is taken out of it at once', async () => {
      await train(place, sidecar, 'waits', { cluster_options: '--hold' });
      const waits = await sidecar.until('waits', ({ reason }) => /number.*JobHeldUser/.test(reason ?? ''), 30);
      expect(waits).toMatchObject({ status: 'pending', next: 'stop', resume: null });
      const shown = await page('waits');
      expect(shown).toMatch(/number \d+ in the cluster&#39;s queue\.[\s\S]+Stop/);
      expect(shown).toMatch(/<td class="end">Pending<\/td>/);
      expect(shown).not.toContain('Interrupted');
      expect(waits.reason).toMatch(
        /^Job \d+ is number \d+ in the cluster's queue\. It is held until somebody releases it \(JobHeldUser\)\.$/,
      );
      expect(await begin(sidecar, 'waits', 'start')).toMatchObject({
        status: 409,
        body: { error: { code: 'already_running' } },
      });
      expect(await sidecar.send('DELETE', 'sessions/waits')).toMatchObject({ status: 409 });
      await stop(sidecar, 'waits');
      expect(await sidecar.until('waits', isOver)).toMatchObject({ status: 'stopped', stopped_by: 'you' });
      expect((await cluster.run('squeue', '-h', '-j', jobOf(waits), '-o', '%T')).trim()).toBe('');
      // Nothing of it was begun, so nothing was moved.
      expect(existsSync(join(place.outputs, 'waits', 'earlier'))).toBe(false);
    });

    test.concurrent('cancelled by another tool, queued or running, it is stopped and says so', async () => {
      await train(place, sidecar, 'cancelled-queued', { cluster_options: '--hold' });
      const queued = await sidecar.until('cancelled-queued', (facts) => jobOf(facts) !== '');
      await cluster.run('scancel', jobOf(queued));
      const never = await sidecar.until('cancelled-queued', isOver, 15);
      expect(never).toMatchObject({ status: 'stopped', reason_code: 'job_cancelled', auto_resume: { will: false } });
      await train(place, sidecar, 'cancelled', { enable_monitoring: true });
      const runs = await sidecar.until('cancelled', stepped(2), 60);
      await cluster.run('scancel', jobOf(runs));
      const over = await sidecar.until('cancelled', ({ reason_code: code }) => code === 'job_cancelled', 30);
      expect(over).toMatchObject({ status: 'stopped', interrupted: false, attempts: [{ job: { end: 'cancelled' } }] });
    });

    test.concurrent('requeued by hand, it never trains twice at once, and goes on as a new job', async () => {
      const name = `requeued-${Date.now()}`;
      await train(place, sidecar, name, { enable_monitoring: true });
      const runs = await sidecar.until(name, stepped(3), 60);
      await cluster.run('scontrol', 'update', `jobid=${jobOf(runs)}`, 'requeue=1');
      await cluster.run('scontrol', 'requeue', jobOf(runs));
      const again = await sidecar.until(name, ({ attempts }) => attempts.length === 2, 60);
      expect(again.attempts[0]).toMatchObject({ reason_code: 'requeued' });
      const done = await sidecar.until(name, ({ status }) => status === 'completed', 90);
      expect(done.progress.step).toBe(40);
      expect((await cluster.run('squeue', '-h', '-j', jobOf(runs), '-o', '%T')).trim()).toBe('');
    });

    test.concurrent('started twice at once it is one job; edited by hand meanwhile, and deaf to its stop, it ends with the edit kept', async () => {
      await train(place, sidecar, 'deaf', { start: false });
      const begun = await Promise.all([begin(sidecar, 'deaf', 'start'), begin(sidecar, 'deaf', 'start')]);
      expect(begun.map(({ status }) => status).sort()).toEqual([201, 409]);
      const runs = await sidecar.until('deaf', stepped(2), 60);
      const names = await cluster.run('squeue', '-h', '-t', 'all', '-o', '%j');
      expect(names.split('\n').filter((name) => name === `ts-${runs.attempts[0]?.id}`)).toHaveLength(1);
      const [trainer = 0, ...others] = trainersOf(place, 'deaf');
      expect(others).toEqual([]);
      process.kill(trainer, 'SIGSTOP');
      asksFor(place, 'deaf', { notes: 'by hand', their_own: [1, 2] });
      await stop(sidecar, 'deaf');
      const over = await sidecar.until('deaf', isOver, 60);
      expect(over).toMatchObject({ status: 'stopped', stopped_by: 'you', notes: 'by hand' });
      expect(trainersOf(place, 'deaf')).toEqual([]);
      const record = JSON.parse(readFileSync(join(place.outputs, 'deaf', 'ui_state.json'), 'utf8'));
      expect(record.their_own).toEqual([1, 2]);
    });

    test.concurrent('what the cluster refuses is told in its words, and nothing is left of it', async () => {
      await train(place, sidecar, 'refused', { start: false, cluster_queue: 'nope' });
      const refused = await begin(sidecar, 'refused', 'start');
      expect(JSON.stringify(refused.body)).toContain('invalid partition specified: nope');
      // The cluster has said all: its word that it knows no such job would take the place of why.
      expect(await sidecar.session('refused')).toMatchObject({
        ...{ status: 'failed', reason: expect.stringContaining('nope') },
        attempts: [{ job: { end: 'never started' } }],
      });
      await train(place, sidecar, 'ours', { start: false, cluster_options: '--requeue' });
      expect(await begin(sidecar, 'ours', 'start')).toMatchObject({
        status: 422,
        body: { error: { code: 'bad_option' } },
      });
    });

    test.concurrent('nobody on the cluster can read its settings or secrets', async () => {
      await train(place, sidecar, 'quiet', { cluster_options: '--hold' });
      const { attempts } = await sidecar.until('quiet', (facts) => jobOf(facts) !== '');
      const shown = await cluster.run('scontrol', 'show', 'job', attempts[0]?.job?.id ?? '');
      expect(shown).toContain(`JobName=ts-${attempts[0]?.id}`);
      expect(shown).toContain('Requeue=0');
      expect(shown).not.toContain('not-for-others');
      for (const name of readdirSync(join(place.outputs, 'quiet')))
        if (name.endsWith('.sh'))
          expect(readFileSync(join(place.outputs, 'quiet', name), 'utf8')).not.toContain('not-for-others');
      await stop(sidecar, 'quiet');
      await sidecar.until('quiet', isOver);
    });

    const page = async (name: string) =>
      until(
        async () =>
          (await fetch(new URL(`sessions/${name}`, sidecar.url), { headers: { Accept: 'text/html' } })).text(),
        (html) => html.includes('</html>'),
      );
  },
  240_000,
);
