import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { trainersOf, until } from '../sidecar.js';
import { lacksSlurm } from './cluster.js';
import { cluster, onCluster, place, serveAgain, sidecar } from './stage.js';
import { begin, isOver, jobOf, slowly, stepped, stop, train } from './trainings.js';

describe.skipIf(lacksSlurm())(
  'where a part of the cluster, or the sidecar, dies',
  () => {
    onCluster({ slurmdTimeout: 10 }, slowly);

    test('a controller that is down ends nothing: a training is shown, stopped and completed without it', async () => {
      await train(place, sidecar, 'stopped', { max_train_epochs: 20 });
      await train(place, sidecar, 'completes');
      await train(place, sidecar, 'waits', { cluster_options: '--hold', max_train_epochs: 1 });
      await sidecar.until('stopped', stepped(2), 60);
      await sidecar.until('completes', stepped(2), 60);
      // The others were before it in the queue, until they ran.
      const alone = "is number 1 in the cluster's queue. It is held until somebody releases it (JobHeldUser).";
      const waits = await sidecar.until('waits', ({ reason }) => reason?.endsWith(alone) ?? false, 30);
      await cluster.controller.saved();
      await cluster.controller.kill();
      expect((await stop(sidecar, 'stopped')).status).toBe(202);
      expect(await sidecar.until('stopped', isOver, 60)).toMatchObject({ status: 'stopped', stopped_by: 'you' });
      expect(await begin(sidecar, 'stopped', 'resume')).toMatchObject({
        status: 503,
        body: { error: { code: 'no_cluster' } },
      });
      expect(await sidecar.until('completes', isOver, 60)).toMatchObject({ status: 'completed' });
      expect(await sidecar.session('waits')).toMatchObject({ status: 'pending', reason: waits.reason });
      const silent = /Slurm’s controller does not answer\.[^<]*<small>Since <time datetime="[^"]+" data-as="clock">/;
      expect(await page('waits')).toMatch(silent);
      await cluster.controller.start();
      await cluster.run('scontrol', 'release', jobOf(waits));
      expect(await sidecar.until('waits', isOver, 90)).toMatchObject({ status: 'completed', progress: { step: 10 } });
      await until(
        () => page('waits'),
        (html) => !silent.test(html),
      );
    });

    test('kill -9 of the sidecar while it submits touches no trainer; the next one finds every job, and none runs twice', async () => {
      await train(place, sidecar, 'untouched');
      await sidecar.until('untouched', stepped(2), 60);
      const trainer = trainersOf(place, 'untouched');
      expect(trainer).toHaveLength(1);
      const names = ['lost-1', 'lost-2', 'lost-3', 'lost-4'];
      for (const name of names) await train(place, sidecar, name, { start: false, max_train_epochs: 1 });
      const asked = Promise.allSettled(names.map((name) => begin(sidecar, name, 'start')));
      await sidecar.until('lost-1', ({ attempts }) => attempts.length === 1);
      await sidecar.kill('SIGKILL');
      await asked;
      await serveAgain();
      expect(trainersOf(place, 'untouched')).toEqual(trainer);
      for (const name of names) {
        const { attempts } = await sidecar.session(name);
        if (attempts.length === 0) continue;
        const done = await sidecar.until(name, isOver, 120);
        const all = await cluster.run('squeue', '-h', '-t', 'all', `--name=ts-${attempts[0]?.id}`, '-o', '%i');
        const submitted = all.split('\n').filter(Boolean);
        if (submitted.length === 0) expect(done).toMatchObject({ interrupted: true, reason_code: 'job_forgotten' });
        else expect(done).toMatchObject({ status: 'completed', attempts: [{ job: { id: submitted[0] } }] });
        expect(submitted.length).toBeLessThan(2);
      }
      expect(await sidecar.until('untouched', isOver, 60)).toMatchObject({
        status: 'completed',
        attempts: [{ number: 1 }],
      });
    });

    test('slurmd killed and a node drained change nothing; a node without power is told, and resumed elsewhere when a person says so', async () => {
      await train(place, sidecar, 'drained', { cluster_options: '--nodelist=n1' });
      await train(place, sidecar, 'powerless', { cluster_options: '--exclude=n1', enable_monitoring: true });
      await sidecar.until('drained', stepped(2), 60);
      await cluster.node('n1').kill();
      await cluster.node('n1').start();
      await cluster.node('n1').drain();
      const runs = await sidecar.until('powerless', stepped(12), 60);
      const node = cluster.node(runs.attempts[0]?.host ?? '');
      // The kernel that this machine shares with its nodes would tell at once that nothing is left there.
      const record = join(place.outputs, 'powerless', 'attempt.json');
      writeFileSync(
        record,
        JSON.stringify({ ...JSON.parse(readFileSync(record, 'utf8')), boot_id: 'another-machine' }),
      );
      await node.cutPower();
      const dead = await sidecar.until('powerless', ({ interrupted }) => interrupted, 30);
      expect(dead).toMatchObject({ reason_code: 'node_silent', next: 'resume', auto_resume: { will: false } });
      await node.drain();
      const refused = await begin(sidecar, 'powerless', 'resume');
      expect(refused).toMatchObject({ status: 409, body: { error: { code: 'node_in_doubt' } } });
      const shown = await page('powerless');
      expect(shown).toMatch(
        /write\s+over each other's checkpoints[\s\S]+name="anyway" value="true">\s*<button class="no">Resume anyway</,
      );
      expect((await begin(sidecar, 'powerless', 'resume', { anyway: true })).status).toBe(201);
      const done = await sidecar.until('powerless', isOver, 90);
      expect(done).toMatchObject({ status: 'completed', progress: { step: 40 } });
      expect(await sidecar.until('drained', isOver, 60)).toMatchObject({ status: 'completed' });
    });

    const page = async (name: string) =>
      (await fetch(new URL(`sessions/${name}`, sidecar.url), { headers: { Accept: 'text/html' } })).text();
  },
  240_000,
);
