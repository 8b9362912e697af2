import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prepareStandIn, training } from '../sd-scripts/standIn.js';
import { killEverything } from '../sd-scripts/watch.js';
import { until } from '../sidecar.js';
import { listenForTrouble } from './chromium.js';
import { onStage, open, place, sidecar } from './stage.js';

/** One GPU, whose memory a training holds. */
let environment: NodeJS.ProcessEnv;
onStage((folders) => {
  environment = { ...prepareStandIn(folders, 1), PRACTICE_STEP_SECONDS: '0.05' };
  return folders.serve(environment);
});

/** It begins in a house where nothing has run yet, so that a second try would be another test. */
const ONE_NIGHT = { retry: 0, timeout: 180_000 };

const make = async (lora_name: string, more: object) => {
  const { status, body } = await sidecar.send('POST', 'sessions', training(place, 'sd1', { lora_name, ...more }));
  expect(status, JSON.stringify(body)).toBe(201);
};
type Version = { name: string; version_name: string; status: string; rating: number | null; notes: string };
type Seen = { versions: Version[]; queue: unknown; draft: unknown };
/** What somebody left behind in the evening, without what goes on by itself. */
async function seen(): Promise<Seen> {
  const { versions } = await sidecar.get<{ versions: Version[] }>('loras/cat');
  const { queue } = await sidecar.get<{ queue: { session: string; place: number; held: boolean }[] }>('queue');
  return {
    versions: versions.map(({ name, version_name, status, rating, notes }) => ({
      ...{ name, version_name, status, rating, notes },
    })),
    queue: queue.map(({ session, place: at, held }) => ({ session, at, held })),
    draft: await sidecar.get('drafts/my-dog'),
  };
}

test(
  'After a night’s sleep, in which the pod was restarted, draft, versions, banner and queue are as they were',
  ONE_NIGHT,
  async () => {
    await make('cat', { max_train_epochs: 1 });
    await sidecar.until('cat', ({ status }) => status === 'completed');
    await sidecar.send('PATCH', 'sessions/cat', { version_name: 'soft', rating: 4, notes: 'good ears' });
    await make('cat', { max_train_epochs: 100 });
    await sidecar.until('cat-v2', ({ progress }) => (progress.epoch ?? 0) >= 2);
    // From now on its memory is not free, also when its process is gone.
    writeFileSync(
      join(place.folder, 'programs', 'nvidia-smi'),
      '#!/bin/sh\necho "0, NVIDIA L40S, 570.86.15, 46068, 900"\n',
    );
    for (const name of ['next', 'later']) await make(name, { queue: true, gpus: '0' });
    await sidecar.send('PATCH', 'queue', { session: 'later', held: true });
    const page = await open('new?fresh=1');
    const home = await open('');
    const trouble = listenForTrouble(page);
    await page.getByLabel('LoRA name').fill('My Dog');
    await page.getByText('Advanced').click();
    await page.getByLabel('Learning rate').fill('3e-3');
    await page.waitForURL(/lora=my-dog/);
    await until(
      () => sidecar.get<{ fields?: Record<string, string> }>('drafts/my-dog'),
      ({ fields }) => fields?.learning_rate === '3e-3',
    );
    const evening = await seen();
    expect(evening.versions.map(({ status }) => status)).toEqual(['running', 'completed']);

    await sidecar.kill('SIGKILL');
    await killEverything(place, 'cat-v2');
    const port = new URL(sidecar.url).port;
    const morning = await place.serve({ ...environment, TRACKSIDE_PORT: port });
    const ended = await morning.until('cat-v2', ({ status }) => status === 'stopped');
    expect(ended).toMatchObject({ interrupted: true, next: 'resume' });
    const [running, ...others] = evening.versions;
    expect(await seen()).toEqual({ ...evening, versions: [{ ...running, status: 'stopped' }, ...others] });

    await page.reload();
    await page.getByText('Restored what you typed for My Dog').waitFor();
    expect(await page.getByLabel('Learning rate').inputValue()).toBe('3e-3');
    expect(await page.getByLabel('Learning rate').isVisible()).toBe(true);
    const history = await open('history');
    await history.getByRole('cell').getByRole('button', { name: 'Resume cat V2' }).waitFor();
    await history.getByRole('link', { name: 'Relaunch cat soft' }).waitFor();
    // The other tab was not even reloaded.
    const banner = home.getByRole('region', { name: 'Active sessions' });
    await banner.getByText('cat').first().waitFor();
    await banner
      .getByRole('button', { name: /Resume/ })
      .first()
      .click();
    // Behind what has waited all night.
    await morning.until('cat-v2', ({ queue }) => queue?.kind === 'resume' && queue.place === 3);
    expect(trouble.filter((each) => !each.includes('Failed to load'))).toEqual([]);
  },
);
