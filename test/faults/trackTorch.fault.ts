import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { makeTestSidecars, projectRoot, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { lacks, measured } from './needs.js';

/** `track` in a real PyTorch: what happens around a training does not reach it, and launchers of several ranks are resumed. */
const python = process.env.TORCH_PYTHON ?? join(projectRoot, '.cache', 'packages', 'bin', 'python');
const lora = join(projectRoot, 'trainer-bridge', 'examples', 'torch_lora.py');
const ranks = join(projectRoot, 'test', 'faults', 'fixtures', 'ranks.py');
const launchers = dirname(python);

let place: TestSidecars;
let work: string;
const started: ChildProcess[] = [];
beforeEach(() => {
  place = makeTestSidecars();
  work = join(place.folder, 'work');
  for (const each of [place.outputs, work]) mkdirSync(each, { recursive: true });
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await place.leave().catch(() => {});
  execFileSync('sh', ['-c', 'umount -l "$0" 2>/dev/null; umount -l "$0" 2>/dev/null; true', place.outputs]);
  await place.leave();
});

function run(command: string, args: string[]) {
  const env = { ...process.env, PYTHONPATH: join(projectRoot, 'trainer-bridge'), TRACKSIDE_OUTPUTS: place.outputs };
  const child = spawn(command, args, { cwd: work, env: { ...env, OMP_NUM_THREADS: '1' }, stdio: 'pipe' });
  started.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  const ended = new Promise<{ code: number | null; said: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, said })),
  );
  return { child, ended, said: () => said };
}

const weightsOf = (said: string) => /weights ([0-9a-f]{64})/.exec(said)?.[1];
const log = (name: string) => readFileSync(join(place.outputs, name, 'training.log'), 'utf8');

describe.skipIf(lacks('PyTorch (npm run test:python-packages installs it)') || lacks('mounting (root)'))(
  'track',
  () => {
    const faults: [
      fault: string,
      inject: (sidecar: { kill(signal: NodeJS.Signals): unknown }) => unknown,
      says: RegExp,
    ][] = [
      ['the sidecar is killed', (sidecar) => sidecar.kill('SIGKILL'), /^/],
      ['the disk fills', () => fillDisk(), /No space left|full/],
      ['its folder becomes read-only', () => readOnly(), /[Rr]ead-only/],
    ];

    test.each(faults)('a training is unharmed while %s: same exit code, same weights', async (fault, inject, says) => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', place.outputs]);
      const sidecar = await place.serve();
      const steps = ['--steps', '120'];
      const alone = await run(python, [lora, ...steps, '--name', 'alone']).ended;
      const training = run(python, [lora, ...steps, '--name', 'disturbed']);
      await past(sidecar, 'disturbed', 30);
      await inject(sidecar);
      const { code, said } = await training.ended;
      expect({ code, weights: weightsOf(said) }).toEqual({ code: alone.code, weights: weightsOf(alone.said) });
      expect(alone.code).toBe(0);
      expect(said).toMatch(says);
      measured(14, `a training with track while ${fault}: exit code ${code}, weights ${weightsOf(said)?.slice(0, 12)}`);
    });

    test.each([
      ['torchrun', ['--nproc_per_node', '2', '--master_port', '29611']],
      [
        'accelerate',
        [
          'launch',
          '--multi_gpu',
          '--num_processes',
          '2',
          '--num_machines',
          '1',
          '--main_process_port',
          '29612',
          '--mixed_precision',
          'no',
          '--dynamo_backend',
          'no',
        ],
      ],
    ])(
      'started by %s, rank 0 alone writes, and Resume starts the launcher again as it was',
      async (launcher, flags) => {
        const sidecar = await place.serve();
        const command = join(launchers, launcher);
        const alone = await run(command, [...flags, ranks, 'alone']).ended;
        expect(alone.code).toBe(0);
        const launched = run(command, [...flags, ranks, 'cat']);
        await past(sidecar, 'cat', 12);
        expect((await sidecar.send('DELETE', 'sessions/cat/attempts/current')).status).toBe(202);
        const stopped = await sidecar.until('cat', ended, 60);
        expect(stopped).toMatchObject({ status: 'stopped', next: 'resume' });
        await launched.ended;
        expect(await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' })).toMatchObject({ status: 201 });
        const done = await sidecar.until('cat', ended, 120);
        expect(done, `${done.reason}\n${log('cat').slice(-3000)}`).toMatchObject({
          status: 'completed',
          progress: { step: 60 },
        });
        const { attempts } = JSON.parse(readFileSync(join(place.outputs, 'cat', 'ui_state.json'), 'utf8'));
        expect(attempts.map(({ kind }: { kind: string }) => kind)).toEqual(['start', 'resume']);
        expect(attempts[1].argv.slice(-2 - flags.length)).toEqual([...flags, ranks, 'cat']);
        expect(attempts[1].argv.some((token: string) => token.endsWith(`/${launcher}`))).toBe(true);
        // Both ranks end with the weights of a run that nobody stopped; one wrote.
        expect(
          log('cat')
            .match(/rank \d weights [0-9a-f]{64}/g)
            ?.sort(),
        ).toEqual(alone.said.match(/rank \d weights [0-9a-f]{64}/g)?.sort());
        const steps = readFileSync(join(place.outputs, 'cat', 'metrics.ndjson'), 'utf8').match(/^\{"step":\d+/gm);
        expect(steps?.length).toBe(new Set(steps).size);
      },
    );
  },
);

const ended = ({ status }: SessionFacts) => ['stopped', 'completed', 'failed'].includes(status);

/** Waits for a step of a session that may not be there yet. */
function past(sidecar: Sidecar, name: string, step: number): Promise<unknown> {
  return until(
    () => sidecar.send('GET', `sessions/${name}`),
    ({ body }) => (body.progress?.step ?? 0) > step,
    120,
  );
}

function fillDisk(): void {
  const path = join(place.outputs, 'filler');
  for (let at = 0; ; at += 1) {
    try {
      writeFileSync(`${path}-${at}`, Buffer.alloc(at < 15 ? 1024 * 1024 : 4096));
    } catch {
      return;
    }
  }
}

/** Over the present one, in which files are open for writing: no kernel makes that read-only. */
function readOnly(): void {
  execFileSync('mount', ['--bind', place.outputs, place.outputs]);
  execFileSync('mount', ['-o', 'remount,ro,bind', place.outputs]);
}
