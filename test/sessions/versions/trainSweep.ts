import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { exampleDataset, quick, type Sidecar, type TestSidecars, until } from '../../sidecar.js';

type Matrix = {
  id: string;
  cells: { session: string; values: string[]; status: string; loss: { best: number | null; last: number } | null }[];
  pictures: { id: string; prompt: string; files: (string | null)[] }[];
  done: boolean;
};

/** A session that is not started, of three pictures: twelve steps. */
export async function draftOfThree({ datasets }: TestSidecars, sidecar: Sidecar): Promise<void> {
  cpSync(exampleDataset, join(datasets, 'few'), { recursive: true, filter: (path) => !/0[4-9]-|10-/.test(path) });
  const small = {
    ...quick,
    dataset: 'few',
    save_every_n_epochs: 4,
    sample_prompts: 'a cat --d 7',
    sample_every_n_steps: 6,
  };
  await sidecar.send('POST', 'sessions', { ...small, lora_name: 'cat', description: 'the first' });
}

/** Queues a version of it for each combination, and sees them train one after the other, their matrix, and a blind vote. */
export async function trainSweep(
  place: TestSidecars,
  sidecar: Sidecar,
  values: { learning_rate: string[]; network_dim: number[] },
): Promise<void> {
  const page = async (path: string) => (await fetch(sidecar.url + path, { headers: { Accept: 'text/html' } })).text();
  const { status, body: sweep } = await sidecar.send('POST', 'sweeps', { session: 'cat', values });
  expect(status).toBe(201);
  const names: string[] = sweep.versions.map(({ session }: { session: string }) => session);
  const made = values.learning_rate.flatMap((rate) => values.network_dim.map((rank) => [rate, String(rank)]));
  expect(names).toEqual(made.map((_, at) => `cat-v${at + 2}`));
  expect(sweep.versions.map(({ refused }: { refused: string | null }) => refused)).toEqual(made.map(() => null));
  const last = await sidecar.session(names.at(-1) ?? '');
  const [rate, rank] = made.at(-1) ?? [];
  expect(last).toMatchObject({ version_name: `lr ${rate}, rank ${rank}`, status: 'pending' });
  expect(last.settings).toMatchObject({ learning_rate: rate, network_dim: Number(rank) });

  const matrix = await until(
    () => sidecar.get<Matrix>(`sweeps/${sweep.id}`),
    ({ done }) => done,
    200,
  );
  expect(matrix.cells.map((cell) => [cell.values, cell.status])).toEqual(made.map((each) => [each, 'completed']));
  const spans = await Promise.all(names.map(async (name) => (await sidecar.session(name)).attempts[0]));
  for (const [at, span] of spans.entries())
    if (at > 0)
      expect(Date.parse(span?.started_at ?? '')).toBeGreaterThanOrEqual(Date.parse(spans[at - 1]?.ended_at ?? ''));
  // A rate that is forty times as high learns more in twelve steps.
  expect(matrix.cells.at(-1)?.loss?.last).toBeLessThan(matrix.cells[0]?.loss?.last ?? 0);
  const [row] = matrix.pictures;
  expect(row).toMatchObject({ prompt: 'a cat' });
  expect(row?.files.filter(Boolean)).toHaveLength(made.length);
  const html = await page(`sweeps/${sweep.id}`);
  expect(html).toContain('All have ended.');
  expect(html).toContain(`Learning rate ${rate}`);

  const ballot = await page(`sweeps/${sweep.id}/vote?picture=${row?.id}`);
  const order = /name="order" value="(\w+)"/.exec(ballot)?.[1] ?? '';
  expect(ballot.match(/name="place"/g)).toHaveLength(made.length);
  const form = ballot.slice(
    ballot.indexOf('<form class="ballot"'),
    ballot.indexOf('</form>', ballot.indexOf('class="ballot"')),
  );
  for (const name of names) expect(form).not.toContain(`${name}/`);
  expect(form).not.toMatch(/\de-\d|rank/);
  const picture = await fetch(`${sidecar.url}sweeps/${sweep.id}/blind/${row?.id}/${order}/0`);
  expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/webp']);
  const voted = await sidecar.send('POST', `sweeps/${sweep.id}/votes`, { picture: row?.id, order, place: 1 });
  expect(names).toContain(voted.body.votes[0].session);
  expect(await page(`sweeps/${sweep.id}`)).toContain('1 vote');
  const kept = JSON.parse(readFileSync(join(place.outputs, '.sweeps', `${sweep.id}.json`), 'utf8'));
  expect(kept.votes).toEqual(voted.body.votes);
}
