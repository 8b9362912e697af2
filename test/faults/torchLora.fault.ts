import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { makeTestSidecars, projectRoot, until } from '../sidecar.js';
import { lacks } from './needs.js';
import { createRandom } from './random.js';

const KILLS = Number(process.env.KILLS ?? 20);
const python = process.env.TORCH_PYTHON ?? join(projectRoot, '.cache', 'packages', 'bin', 'python');
const example = join(projectRoot, 'trainer-bridge', 'examples', 'torch_lora.py');
const place = makeTestSidecars();
afterAll(() => place.leave());

const env = {
  ...process.env,
  PYTHONPATH: join(projectRoot, 'trainer-bridge'),
  TRACKSIDE_OUTPUTS: place.outputs,
};
const weightsOf = (said: string) => /weights ([0-9a-f]{64})/.exec(said)?.[1];

describe.skipIf(lacks('PyTorch (npm run test:python-packages installs it)'))('a LoRA in PyTorch', () => {
  test(`killed at ${KILLS} random moments and resumed from the page, it ends with the weights of one never killed`, async () => {
    const work = join(place.folder, 'work');
    mkdirSync(work, { recursive: true });
    const steps = String(60 * KILLS);
    const undisturbed = execFileSync(python, [example, '--steps', steps, '--name', 'alone'], {
      cwd: work,
      env,
      encoding: 'utf8',
    });
    const sidecar = await place.serve();
    const first = spawn(python, [example, '--steps', steps, '--name', 'killed'], { cwd: work, env, stdio: 'ignore' });
    const random = createRandom(Number(process.env.SEED ?? 1));
    const log = join(place.outputs, 'killed', 'training.log');
    let pid = first.pid ?? 0;
    for (let round = 1; round <= KILLS; round += 1) {
      const began =
        (
          await until(
            () => sidecar.session('killed'),
            (facts) => (facts.progress?.step ?? 0) > 0,
            120,
          )
        ).progress.step ?? 0;
      const wanted = began + 5 + random.integer(40);
      const before = await until(
        () => sidecar.session('killed'),
        (facts) => (facts.progress.step ?? 0) > wanted || facts.status === 'completed',
        120,
      );
      if (before.status === 'completed') break;
      process.kill(pid, 'SIGKILL');
      await until(
        () => sidecar.session('killed'),
        ({ status }) => ['stopped', 'failed'].includes(status),
        60,
      );
      expect(await sidecar.send('POST', 'sessions/killed/attempts', { kind: 'resume' })).toMatchObject({ status: 201 });
      const attempt = () => JSON.parse(readFileSync(join(place.outputs, 'killed', 'attempt.json'), 'utf8'));
      pid = await until(
        () => attempt().trainer_pid as number,
        (found) => found > 0,
        30,
      );
    }
    await sidecar.until('killed', ({ status }) => status === 'completed', 300);
    expect(weightsOf(readFileSync(log, 'utf8'))).toBe(weightsOf(undisturbed));
    const metrics = readFileSync(join(place.outputs, 'killed', 'metrics.ndjson'), 'utf8');
    console.log(
      `${(metrics.match(/"event": "begin"/g) ?? []).length} attempts, weights ${weightsOf(undisturbed)?.slice(0, 12)}`,
    );
  });
});
