import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUSY } from '../busy.js';
import { openTenTabs, type TenTabs } from './tenTabs.js';

let open: TenTabs;
beforeAll(async () => {
  open = await openTenTabs();
}, 120_000);
afterAll(() => open?.leave());

test('ten tabs of one browser are all live over one connection, an eleventh loads at once, and nothing else is asked for', async () => {
  const { seconds, line, context, trouble } = open;
  expect(await seconds()).toBeLessThan(5 * BUSY);
  const before = line.seen.requests;
  expect(await seconds(1)).toBeLessThan(5 * BUSY);
  expect(line.seen.requests - before).toBe(0);
  const eleventh = await context.newPage();
  await eleventh.goto(new URL('models', line.url).href, { timeout: 5000 });
  await eleventh.close();
  expect(trouble).toEqual([]);
});

test('a tab that the browser froze is right again within a second of being shown', async () => {
  const { tabs, context, sidecar, seconds } = open;
  const [tab] = tabs;
  if (!tab) throw new Error('there are no tabs');
  const control = await context.newCDPSession(tab);
  await control.send('Page.setWebLifecycleState', { state: 'frozen' });
  const { percent } = (await sidecar.session('cat')).progress;
  await sidecar.until('cat', ({ progress }) => (progress.percent ?? 0) > (percent ?? 0) + 1);
  await control.send('Page.setWebLifecycleState', { state: 'active' });
  expect(await seconds()).toBeLessThan(1 * BUSY);
});

test('tabs whose connection is cut are right again within seconds, and say nothing of it', async () => {
  const { tabs, line, seconds } = open;
  line.cut();
  expect(await seconds(1)).toBeLessThan(5 * BUSY);
  const words = await Promise.all(tabs.map((tab) => tab.locator('#contact').textContent()));
  expect(words.join('')).toBe('');
});

test('a browser that gets five seconds at once is spared what came in between', async () => {
  const pages = JSON.stringify([{ tab: 'a', address: 'events', last: '' }]);
  const answer = await fetch(new URL(`streams/held?short&pages=${encodeURIComponent(pages)}`, open.sidecar.url));
  const drawn = (await answer.text()).split('\n\n').filter((message) => message.includes('<hx-partial'));
  // The page as it is, and its steps of every 2.4 s; a page that hears at once is drawn four times a second.
  expect(drawn.length).toBeGreaterThan(1);
  expect(drawn.length).toBeLessThan(6);
});
