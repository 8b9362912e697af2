import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { makeTestSidecars, type Sidecar, type TestSidecars } from '../sidecar.js';
import { openBrowser } from './chromium.js';

/** The one browser, the folders and the sidecar of the test file that calls `onStage`. */
export let browser: Browser;
export let place: TestSidecars;
export let sidecar: Sidecar;

/**
 * Opens them before the file's first test, and closes them after its last.
 *
 * @param serve starts the sidecar, once its folders are as the tests need them
 * @param hosts names that lead the browser to us
 */
export function onStage(serve: (place: TestSidecars) => Promise<Sidecar>, ...hosts: string[]): void {
  beforeAll(async () => {
    browser = await openBrowser(...hosts);
    place = makeTestSidecars();
    sidecar = await serve(place);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await place.leave();
  });
}

/** A page of the sidecar, in a context of its own: nothing is shared with other pages. */
export async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(new URL(path, sidecar.url).href);
  return page;
}

/** A screen of this width in pixels. */
export function wide(width: number): BrowserContextOptions {
  return { viewport: { width, height: 800 } };
}
