import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appInProcess, type InProcess } from '../inProcess.js';

type Found = { total: number; entries: { name: string; date: string }[] };

describe('The history of all sessions', () => {
  let house: InProcess;
  beforeAll(async () => {
    house = appInProcess();
    for (let n = 1; n <= 45; n += 1) {
      const [day, cat] = [String(1 + (n % 28)).padStart(2, '0'), n % 3 === 0];
      const name = `${cat ? 'cat' : 'dog'}-${n}`;
      const record = {
        trainer: 'practice',
        status: 'completed',
        lora_name: cat ? 'cat' : 'dog',
        version: n,
        base_model: cat ? 'flux-dev' : 'sdxl',
        dataset: { path: `/data/${cat ? 'cats' : 'dogs'}`, images: n, captions: 0 },
        results: { steps: n * 10, final_loss: n / 100, best_loss: n / 200, best_step: n },
        created_at: `2026-01-${day}T00:00:00.000Z`,
        attempts: [
          {
            number: 1,
            kind: 'start',
            id: `id-${n}`,
            started_at: `2026-02-${day}T10:00:00.000Z`,
            ended_at: `2026-02-${day}T10:${String(n).padStart(2, '0')}:00.000Z`,
            argv: ['python3', 'practice_train_network.py'],
            outcome: n === 30 ? 'failed' : 'completed',
            reason: n === 30 ? 'Out of memory.' : null,
          },
        ],
      };
      mkdirSync(join(house.settings.outputs, name));
      writeFileSync(join(house.settings.outputs, name, 'ui_state.json'), JSON.stringify(record));
      await house.ask(`/sessions/${name}`);
    }
  });
  afterAll(() => house.leave());

  const get = async (query: string) => (await (await house.ask(`/history${query}`)).json()) as Found;
  const names = (page: Found) => page.entries.map(({ name }) => name);

  test('has twenty a page, the newest first, and says how many there are', async () => {
    const [first, third] = [await get(''), await get('?page=3')];
    expect(first).toMatchObject({ total: 45, of: 45, page: 1, pages: 3 });
    expect(first.entries).toHaveLength(20);
    expect(third.entries).toHaveLength(5);
    const dates = first.entries.map(({ date }) => date);
    expect(dates).toEqual(dates.toSorted().reverse());
    expect(first.entries[0]).toMatchObject({ date: '2026-02-28T10:00:00.000Z', duration: 27 * 60, steps: 270 });
  });

  test.each([
    ['?lora=cat', 15],
    ['?dataset=dogs&model=sdxl', 30],
    ['?trainer=practice', 45],
    ['?status=failed', 1],
    ['?q=cat+steps>300', 5],
    ['?q=loss<=0.05', 5],
    ['?q=best<0.05+dogs', 6],
    ['?q=version=7', 1],
    ['?from=2026-02-20&to=2026-02-21', 2],
    ['?q=nothing', 0],
  ])('is filtered by %s, which the address carries', async (query, total) => {
    expect((await get(query)).total).toBe(total);
  });

  test.each([
    ['steps', 'asc', 'dog-1'],
    ['steps', 'desc', 'cat-45'],
    ['final_loss', 'asc', 'dog-1'],
    ['best_loss', 'desc', 'cat-45'],
    ['duration', 'desc', 'cat-45'],
    ['version', 'asc', 'dog-1'],
    ['lora', 'desc', 'dog-28'],
    ['status', 'desc', 'cat-30'],
  ])('is sorted by %s %s', async (sort, order, first) => {
    const found = await get(`?sort=${sort}&order=${order}`);
    if (sort === 'lora') expect(names(found)[0]).toMatch(/^dog/);
    else expect(names(found)[0]).toBe(first);
  });

  test('is a page without a script, whose links keep what was chosen', async () => {
    const page = await (
      await house.ask('/history?lora=dog&sort=steps&order=desc', { headers: { Accept: 'text/html' } })
    ).text();
    expect(page).toContain('30 of 45 sessions');
    expect(page).toMatch(/<a class="button" href="sessions\/dog-44\/relaunch">\s*Relaunch/);
    expect(page).toContain('history?lora=dog&amp;sort=steps&amp;order=desc&amp;page=2');
    expect(page).toMatch(/aria-sort="descending"[^<]*<a href="history\?lora=dog&amp;sort=steps&amp;order=asc"/);
    expect(page).toMatch(/<option value="dog" selected>/);
  });

  test('shows something for an address that makes no sense', async () => {
    const found = await get('?sort=nonsense&order=sideways&page=-7&from=yesterday');
    expect(found).toMatchObject({ total: 45, page: 1, query: { sort: 'date', descending: true, from: '' } });
  });
});
