import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTenTabs, type TenTabs } from '../browser/tenTabs.js';
import type { Limits } from '../datasets/badLine.js';
import { until } from '../sidecar.js';
import { measured } from './needs.js';

const ROUNDS = 5;

let open: TenTabs;
beforeAll(async () => {
  open = await openTenTabs();
});
afterAll(() => open.leave());

test.each<[string, Partial<Limits>]>([
  ['answers half of all requests with 502', { badGateway: 0.5, longest: 700 }],
  ['delays each answer by a second', { badGateway: 0, delay: 1000, longest: 3000 }],
  ['cuts each connection after a second', { delay: 0, longest: 1000 }],
])(
  'behind a proxy that %s ten tabs are right within 5 s, and none says that it lost contact',
  async (what, faults) => {
    const { tabs, line, limits, seconds } = open;
    Object.assign(limits, faults);
    line.cut();
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) times.push(await seconds(1));
    measured(19, `behind a proxy that ${what}: right after ${Math.max(...times).toFixed(1)} s at most`);
    expect(Math.max(...times)).toBeLessThan(5);
    const words = await Promise.all(tabs.map((tab) => tab.locator('#contact').textContent()));
    expect(words.join('')).toBe('');
  },
  120_000,
);

test('behind a proxy that holds answers back until they end, ten tabs are some seconds late, and right', async () => {
  const { line, limits, seconds } = open;
  Object.assign(limits, { holding: true, longest: undefined });
  line.cut();
  const first = await seconds(1);
  const later = await seconds(1);
  measured(
    19,
    `behind a proxy that holds answers back: noticed after ${first.toFixed(1)} s, then right after ${later.toFixed(1)} s`,
  );
  expect(first).toBeLessThan(30);
  expect(later).toBeLessThan(8);
}, 120_000);

test('tabs that are opened behind a proxy that holds answers back have one connection, too', async () => {
  const { line, limits, context } = open;
  Object.assign(limits, { holding: true, longest: undefined });
  const another = await context.browser()?.newContext();
  if (!another) throw new Error('there is no browser');
  const tabs = await Promise.all(Array.from({ length: 3 }, () => another.newPage()));
  /** A page that asks by itself: a browser opens six connections in all. */
  const own: string[] = [];
  for (const tab of tabs) {
    tab.on('request', (request) => request.url().includes('/streams/') && own.push(request.url()));
    await tab.goto(new URL('machine', line.url).href);
  }
  const titles = () => Promise.all(tabs.map((tab) => tab.title()));
  await until(titles, (all) => all.every((title) => /\d+ %/.test(title)), 60);
  expect(own).toEqual([]);
  await another.close();
}, 120_000);
