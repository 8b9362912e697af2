import type { BrowserContext, Page } from 'playwright-core';
import { type BadLine, type Limits, openBadLine } from '../datasets/badLine.js';
import { makeTestSidecars, quick, type Sidecar, until } from '../sidecar.js';
import { listenForTrouble, openBrowser } from './chromium.js';

/** A browser with ten tabs of a training that runs, behind a proxy that behaves as `limits` say, at any moment. */
export type TenTabs = {
  sidecar: Sidecar;
  line: BadLine;
  limits: Limits;
  context: BrowserContext;
  tabs: Page[];
  trouble: string[];
  /** Seconds until every tab's title carries the percent of now, or what came after; with `later`, of the moment when so many more are trained. */
  seconds(later?: number): Promise<number>;
  leave(): Promise<void>;
};

const PAGES = ['', 'sessions/cat', 'sessions/cat/log', 'datasets', 'machine'];

export async function openTenTabs(epochs = 500): Promise<TenTabs> {
  const browser = await openBrowser();
  const place = makeTestSidecars();
  const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.05' });
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: epochs, start: true });
  await sidecar.until('cat', ({ progress }) => (progress.step ?? 0) > 12);
  const limits: Limits = { largestBody: 2 ** 30 };
  const line = await openBadLine(Number(new URL(sidecar.url).port), limits);
  const context = await browser.newContext();
  const tabs: Page[] = [];
  for (const path of [...PAGES, ...PAGES]) {
    const tab = await context.newPage();
    await tab.goto(new URL(path, line.url).href);
    tabs.push(tab);
  }
  const percents = async () => {
    const titles = await Promise.all(tabs.map((tab) => tab.evaluate('document.title')));
    return titles.map((title) => Number(/(\d+) %/.exec(String(title))?.[1] ?? -1));
  };
  return {
    sidecar,
    line,
    limits,
    context,
    tabs,
    trouble: tabs.flatMap(listenForTrouble),
    async seconds(later = 0) {
      const percent = async () => Math.floor((await sidecar.session('cat')).progress.percent ?? 0);
      const now = (await percent()) + later;
      await until(percent, (trained) => trained >= now, 60);
      const began = performance.now();
      await until(percents, (all) => all.every((each) => each >= now), 60);
      return (performance.now() - began) / 1000;
    },
    async leave() {
      await line.close();
      await browser.close();
      await place.leave();
    },
  };
}
