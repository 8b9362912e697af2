import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { lacksSlurm, type TestCluster } from '../cluster/cluster.js';
import { cluster, onCluster, place, serveAgain, sidecar } from '../cluster/stage.js';
import { asksFor, begin, isOver, jobOf, slowly, stepped, stop, train, weightsOf } from '../cluster/trainings.js';
import { projectRoot, trainersOf } from '../sidecar.js';
import { lacks } from './needs.js';
import { createRandom } from './random.js';

const torchPython = process.env.TORCH_PYTHON ?? join(projectRoot, '.cache', 'packages', 'bin', 'python');
const ROUNDS = Number(process.env.CLUSTER_ROUNDS ?? 100);
/** A status may lag behind the truth for so long: seven silent seconds, and the time to look. */
const LAG_SECONDS = 15;

describe.skipIf(lacksSlurm())('a cluster', () => {
  onCluster({ slurmdTimeout: 10, minJobAge: 60 }, slowly);

  test('a real time limit, hit twice: exactly the epochs asked for, and the weights of an undisturbed training', async () => {
    await train(place, sidecar, 'undisturbed', { max_train_epochs: 30 });
    await train(place, sidecar, 'limited', { max_train_epochs: 30, cluster_minutes: 1 });
    const ends = ({ attempts, status }: SessionFacts) => attempts.length >= 3 && status === 'completed';
    const done = await sidecar.until('limited', ends, 400);
    expect(done.attempts.slice(0, 2).map(({ reason_code: code }) => code)).toEqual(['time_limit', 'time_limit']);
    expect(done.attempts[0]?.reason).toMatch(
      /^The time limit of its job was reached\. Step \d+ is saved; nothing is lost\.$/,
    );
    expect(done.progress).toMatchObject({ step: 300, epoch: 30 });
    await sidecar.until('undisturbed', isOver, 200);
    expect(weights('limited')).toBe(weights('undisturbed'));
  });

  test('a node that is lost: told, refused while it is in doubt, and resumed by itself once the node is back', async () => {
    await train(place, sidecar, 'lost', { max_train_epochs: 8 });
    const runs = await sidecar.until('lost', stepped(12), 120);
    const record = join(place.outputs, 'lost', 'attempt.json');
    writeFileSync(record, JSON.stringify({ ...JSON.parse(readFileSync(record, 'utf8')), boot_id: 'another-machine' }));
    const node = cluster.node(runs.attempts[0]?.host ?? '');
    await node.cutPower();
    await sidecar.until('lost', ({ reason_code: code }) => code === 'node_failed', 180);
    expect(await begin(sidecar, 'lost', 'resume')).toMatchObject({
      status: 409,
      body: { error: { code: 'node_in_doubt' } },
    });
    await node.start();
    await sidecar.send('PATCH', 'sessions/lost', { enable_monitoring: true });
    const done = await sidecar.until('lost', ({ status }) => status === 'completed', 300);
    expect(done.attempts.map(({ automatic }) => automatic)).toEqual([false, true]);
  });

  test.skipIf(lacks('PyTorch (npm run test:python-packages installs it)'))(
    'a script that uses torch.distributed trains over two nodes, with equal weights on both',
    async () => {
      const folder = join(place.folder, 'trainers');
      mkdirSync(folder);
      copyFileSync(join(projectRoot, 'test', 'cluster', 'two_nodes.py'), join(folder, 'two_nodes.py'));
      const own = await place.serve({
        ...cluster.environment,
        ...{
          TRACKSIDE_TRAINERS: folder,
          TRACKSIDE_PYTHON: torchPython,
          GLOO_SOCKET_IFNAME: 'lo',
          OMP_NUM_THREADS: '1',
        },
      });
      const fields = { trainer: 'script/two_nodes', lora_name: 'two', arguments: { steps: 5 } };
      expect((await own.send('POST', 'sessions', fields)).status).toBe(201);
      asksFor(place, 'two', { cluster_nodes: 2 });
      expect((await begin(own, 'two', 'start')).status).toBe(201);
      expect(await own.until('two', isOver, 400)).toMatchObject({ status: 'completed' });
      const [first = '', second = ''] = [0, 1].map((rank) =>
        readFileSync(join(place.outputs, 'two', `rank-${rank}.txt`), 'utf8'),
      );
      expect(first).toMatch(/^n\d of 2: /);
      expect(second.split(':')[1]).toBe(first.split(':')[1]);
      expect(second.slice(0, 2)).not.toBe(first.slice(0, 2));
      await train(place, own, 'one', { start: false, cluster_nodes: 2 });
      expect(await begin(own, 'one', 'start')).toMatchObject({ status: 422, body: { error: { code: 'one_node' } } });
      await own.kill();
    },
  );

  test(`${ROUNDS} random mixtures: 0 lies, never two trainers in a folder, every training complete in the end`, async () => {
    await train(place, sidecar, 'whole');
    await sidecar.until('whole', isOver, 300);
    const { integer, pick } = createRandom(Number(process.env.CLUSTER_SEED ?? 1));
    for (let round = 1; round <= ROUNDS; round += 1) {
      const names = ['a', 'b'].map((letter) => `mixed-${round}-${letter}`);
      const watch = watchTruth(names);
      const done: string[] = [];
      for (const name of names) await train(place, sidecar, name, { enable_monitoring: integer(2) === 0 });
      for (let event = 0; event < 5; event += 1) {
        await wait(500 + integer(2500));
        const kind = pick(Object.keys(events));
        const name = pick(names);
        done.push(`${kind} ${name}`);
        await events[kind]?.(name, cluster.node(pick(cluster.nodes))).catch((error: Error) => done.push(error.message));
      }
      for (const name of names) await complete(name);
      const { two, lies } = await watch.end();
      expect({ two, lies, done }).toEqual({ two: [], lies: [], done });
      for (const name of names) expect(weights(name), done.join(', ')).toBe(weights('whole'));
      console.log(`cluster: mixture ${round} of ${ROUNDS}: ${done.join(', ')}`);
    }
  }, 7_200_000);

  const job = async (name: string) => jobOf(await sidecar.session(name));
  const nothing = () => {};
  const events: Record<string, (name: string, node: ReturnType<TestCluster['node']>) => Promise<void>> = {
    cancel: async (name) => cluster.run('scancel', await job(name)).then(nothing),
    warn: async (name) => cluster.run('scancel', '-b', '-s', 'TERM', await job(name)).then(nothing),
    async requeue(name) {
      await cluster.run('scontrol', 'update', `jobid=${await job(name)}`, 'requeue=1');
      await cluster.run('scontrol', 'requeue', await job(name));
    },
    stop: async (name) => stop(sidecar, name).then(nothing),
    resume: async (name) => begin(sidecar, name, 'resume').then(nothing),
    async sidecar() {
      await sidecar.kill('SIGKILL');
      await serveAgain();
    },
    async controller() {
      await cluster.controller.kill();
      await wait(3000);
      await cluster.controller.start();
    },
    async slurmd(_, node) {
      await node.kill();
      await wait(1000);
      await node.start();
    },
    async power(_, node) {
      await node.cutPower();
      await node.start();
    },
    async drain(_, node) {
      await node.drain();
      await wait(1000);
      await node.resume();
    },
  };

  /** Brings a training to its end as a person would, whatever happened to it. */
  async function complete(name: string): Promise<void> {
    for (const node of cluster.nodes) await cluster.node(node).resume().catch(nothing);
    for (;;) {
      const facts = await sidecar.until(name, isOver, 400);
      if (facts.status === 'completed') return;
      const kind = { resume: 'resume', 'start over': 'relaunch' }[String(facts.next)] ?? 'start';
      await begin(sidecar, name, kind, { anyway: true });
      await wait(500);
    }
  }

  /** Compares several times a second what is said with what lives. */
  function watchTruth(names: string[]) {
    const two: string[] = [];
    const lies: string[] = [];
    const wrongSince = new Map<string, number>();
    let isOn = true;
    const watching = (async () => {
      while (isOn) {
        for (const name of names) {
          const before = trainersOf(place, name).length;
          if (before > 1) two.push(`${before} trainers in ${name}`);
          const facts = await sidecar.session(name).catch(() => null);
          const lives = trainersOf(place, name).length > 0;
          const said = facts && ['running', 'starting', 'stopping', 'pending'].includes(facts.status);
          const wrong = facts && (lives ? !said : facts.status === 'running') && before > 0 === lives;
          if (!wrong) wrongSince.delete(name);
          else if (!wrongSince.has(name)) wrongSince.set(name, performance.now());
          else if (performance.now() - (wrongSince.get(name) ?? 0) > LAG_SECONDS * 1000)
            lies.push(`${name} is said to be ${facts.status}, but ${lives ? 'lives' : 'is dead'}`);
        }
        await wait(150);
      }
    })();
    return {
      async end() {
        isOn = false;
        await watching;
        return { two, lies };
      },
    };
  }

  const weights = (name: string) => weightsOf(place, name);
});
