import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAlive, makeTestSidecars, quick, until } from '../sidecar.js';
import { measured } from './needs.js';
import { attemptOf } from './pod.js';

test('100 of 100 times kill -9 of the sidecar at a random moment: the trainer keeps its PID, and its log every byte', async () => {
  const place = makeTestSidecars();
  const environment = { PRACTICE_STEP_SECONDS: '0.03' };
  try {
    let sidecar = await place.serve(environment);
    // Longer than a hundred rounds take on the busiest machine.
    const endless = { ...quick, lora_name: 'cat', max_train_epochs: 5000, save_every_n_epochs: 100 };
    await sidecar.send('POST', 'sessions', { ...endless, start: true });
    await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) > 1);
    const { trainer_pid: trainer, pid, log_start } = attemptOf(place, 'cat');
    for (let round = 0; round < 100; round += 1) {
      // Watched, asked, and killed anywhere between its first instruction and its work.
      void sidecar.get('sessions').catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 400));
      await sidecar.kill('SIGKILL');
      expect([isAlive(trainer), isAlive(pid)]).toEqual([true, true]);
      expect(attemptOf(place, 'cat')).toMatchObject({ trainer_pid: trainer, ended_at: null });
      sidecar = await place.serve(environment);
      expect(await sidecar.session('cat')).toMatchObject({ status: expect.stringMatching(/running|starting/) });
    }
    await sidecar.send('DELETE', 'sessions/cat/attempts/current');
    await sidecar.until('cat', (facts) => facts.status === 'stopped', 30);
    const log = readFileSync(join(place.outputs, 'cat', 'training.log'))
      .subarray(log_start)
      .toString();
    const steps = [...log.matchAll(/\| (\d+)\/50000 \[/g)].map(([, step]) => Number(step));
    const last = steps.at(-1) ?? 0;
    // Each step is printed twice: the bar moves, then the loss is set.
    for (let step = 1; step < last; step += 1) {
      expect(steps.filter((each) => each === step).length, `step ${step}`).toBeGreaterThanOrEqual(2);
    }
    expect(
      await until(
        () => sidecar.session('cat'),
        (facts) => facts.attempts.length === 1,
      ),
    ).toBeDefined();
    measured(3, `100 of 100 kills: PID kept, ${last} steps of the log without a gap`);
  } finally {
    await place.leave();
  }
});
