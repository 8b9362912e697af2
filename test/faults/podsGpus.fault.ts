import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { prepareStandIn, training } from '../sd-scripts/standIn.js';
import { makeTestSidecars, type Sidecar, until } from '../sidecar.js';
import { lacks } from './needs.js';
import { marked, startPod } from './pod.js';

const slow = { PRACTICE_STEP_SECONDS: '0.2' };
const waiting = ['one', 'two', 'three'];
const running = (sessions: SessionFacts[]) =>
  sessions.filter(({ name, status }) => waiting.includes(name) && status === 'running');
const long = { max_train_epochs: 100, gpus: '0' };

describe.skipIf(lacks('PID namespaces (root)'))('two containers that each see one GPU, over one outputs folder', () => {
  test('each trains on its own GPU 0, keeps it from a second training, and begins of the queue what the other does not', async () => {
    const place = makeTestSidecars();
    let pods: Sidecar[] = [];
    try {
      const environment: NodeJS.ProcessEnv = { ...prepareStandIn(place, 1), ...slow };
      pods = await Promise.all(['pod-a', 'pod-b'].map((name) => startPod(place, name, own(name), boot(name))));
      const [a, b] = pods as [Sidecar, Sidecar];
      const begin = (pod: Sidecar, name: string, more = {}) =>
        pod.send('POST', 'sessions', { ...training(place, 'sd1', { ...long, ...more }), lora_name: name });

      for (const [pod, name] of [
        [a, 'cat'],
        [b, 'dog'],
      ] as const) {
        expect(await begin(pod, name)).toMatchObject({ status: 201 });
        await pod.until(name, ({ status, progress }) => status === 'running' && (progress.step ?? 0) > 0, 60);
      }
      for (const [pod, mine, other] of [
        [a, 'cat', 'dog'],
        [b, 'dog', 'cat'],
      ] as const) {
        const told = [await pod.session(mine), await pod.session(other)];
        expect(told.map(({ status, attempts }) => [status, attempts[0]?.gpus])).toEqual([
          ['running', [0]],
          ['running', [0]],
        ]);
        const refused = await begin(pod, `second-${mine}`);
        expect(refused).toMatchObject({
          status: 409,
          body: { error: { code: 'gpu_busy', message: expect.stringContaining(mine) } },
        });
      }
      // The queue is everybody's: what waits begins on either pod, once, and one at a time on each.
      for (const name of waiting)
        expect(await begin(a, name, { queue: true })).toMatchObject({ body: { status: 'pending' } });
      await Promise.all([
        a.send('DELETE', 'sessions/cat/attempts/current'),
        b.send('DELETE', 'sessions/dog/attempts/current'),
      ]);
      const all = await until(
        () => a.get<SessionFacts[]>('sessions'),
        (sessions) => running(sessions).length === 2,
        60,
      );
      expect(
        running(all)
          .map(({ attempts }) => attempts[0]?.host)
          .sort(),
      ).toEqual([null, 'pod-b']);
      // For some looks more.
      await new Promise((resolve) => setTimeout(resolve, 5000));
      const later = await a.get<SessionFacts[]>('sessions');
      expect(
        running(later)
          .map(({ name }) => name)
          .sort(),
      ).toEqual(
        running(all)
          .map(({ name }) => name)
          .sort(),
      );
      for (const { attempts, name } of running(later)) {
        expect([name, attempts.length, new Set(marked(attempts[0]?.id ?? '')).size > 0]).toEqual([name, 1, true]);
        expect(readFileSync(join(place.outputs, name, 'training.log'), 'utf8').match(/running training/g)).toHaveLength(
          1,
        );
      }

      function own(name: string): NodeJS.ProcessEnv {
        const uuid = `GPU-${name}`;
        const programs = join(place.folder, name);
        mkdirSync(programs);
        const news = `echo "0, ${uuid}, NVIDIA L40S, 90, 500, 46068, 60, 200.5, 300, [N/A], 0x0"`;
        const script = `case "$*" in *-lms*) while ${news}; do sleep 1; done;; *) echo "0, NVIDIA L40S, 570.86.15, 46068, 45500";; esac`;
        writeFileSync(join(programs, 'nvidia-smi'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
        return {
          ...environment,
          TRACKSIDE_PRIVATE: join(place.folder, `private-${name}`),
          PATH: `${programs}:${environment.PATH}`,
        };
      }
      function boot(name: string): string {
        const file = join(place.folder, `${name}.boot`);
        writeFileSync(file, `${randomUUID()}\n`);
        return file;
      }
    } finally {
      for (const pod of pods) await pod.kill();
      await place.leave();
    }
  });
});
