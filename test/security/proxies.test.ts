import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listenForTrouble, openWholeBrowser } from '../browser/chromium.js';
import { makeTestSidecars, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { openJupyter, openNginx, openRunPod, openVast, type ProxyServer } from './proxies.js';

const TOKEN = 'given-8Kp2vQz7LmXw';
const bearer = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json', Accept: 'application/json' };
let place: TestSidecars;
let sidecar: Sidecar;
let proxies: ProxyServer[];
let runPodProxy: Awaited<ReturnType<typeof openRunPod>>;
let elsewhere: Server;
let browser: Browser;

beforeAll(async () => {
  place = makeTestSidecars();
  sidecar = await place.serve({
    TRACKSIDE_NO_LOGIN: '',
    TRACKSIDE_TOKEN: TOKEN,
    TRACKSIDE_ALLOWED_HOSTS: 'hub.example,*.nginx.example',
    RUNPOD_POD_ID: 'abc123',
    PRACTICE_STEP_SECONDS: '0.05',
  });
  const { url } = sidecar;
  runPodProxy = await openRunPod(url, 1000);
  proxies = [
    runPodProxy,
    await openVast(url),
    await openJupyter(url, '/user/me/proxy/7860'),
    await openNginx(url, '/trackside'),
  ];
  elsewhere = createServer((asked, answer) => {
    const to = new URL(asked.url ?? '', 'http://elsewhere').searchParams.get('to');
    answer.setHeader('Content-Type', 'text/html');
    answer.end(`<a href="${to}">to the pod</a><form method="post" action="${to}"><button>evil</button></form>`);
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const [runPod, vast, jupyter, nginx] = proxies.map(({ port }) => port);
  browser = await openWholeBrowser(
    `abc123-7860.proxy.runpod.net:443 127.0.0.1:${runPod}`,
    `203.0.113.7:40123 127.0.0.1:${vast}`,
    `hub.example:8888 127.0.0.1:${jupyter}`,
    `my.nginx.example:443 127.0.0.1:${nginx}`,
    `elsewhere.example:80 127.0.0.1:${(elsewhere.address() as AddressInfo).port}`,
  );
});
afterAll(async () => {
  await browser.close();
  for (const proxy of proxies) proxy.close();
  elsewhere.close();
  await place.leave();
});

const PLACES = [
  ['RunPod', 'https://abc123-7860.proxy.runpod.net/'],
  ['Vast', 'http://203.0.113.7:40123/'],
  ['Jupyter', 'http://hub.example:8888/user/me/proxy/7860/'],
  ['nginx', 'https://my.nginx.example/trackside/'],
] as const;

let tries = 0;
test.each(PLACES)(
  '%s: log in by a link from elsewhere, start, watch, stop, log out, and come back by the form',
  async (name, url) => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    try {
      const page = await context.newPage();
      const trouble = listenForTrouble(page);
      await follow(page, `${url}?token=${TOKEN}`);
      await page.getByRole('heading', { name: 'Sessions', exact: true }).waitFor();
      expect(page.url()).toBe(url);
      await expectCookie(context, url);

      // One of its own for each try.
      const lora = `${name.toLowerCase()}-${++tries}`;
      await change('POST', 'sessions', { ...quick, lora_name: lora, max_train_epochs: 400 });
      await page
        .locator('#sessions')
        .getByRole('button', { name: `Start ${lora} V1` })
        .click();
      await page
        .locator('#banner')
        .getByText(/Running · /)
        .waitFor();
      expect(page.url()).toBe(url);
      await follow(page, `${url}sessions/${lora}`);
      await page
        .locator('#head')
        .getByText(/Running/)
        .waitFor();
      expect(page.url()).toBe(`${url}sessions/${lora}`);
      await page.getByRole('button', { name: `Stop… ${lora} V1` }).click();
      await page.getByRole('button', { name: 'Stop now' }).click();
      await page.locator('#head').getByText('Stopped · by you').waitFor();

      await refuseForeignForm(context, `${url}sessions`);
      const other = await context.newPage();
      await other.goto(url);
      await page.locator('summary', { hasText: 'More' }).click();
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByText('You are logged out.').waitFor();
      await other.getByText('You are logged out. Reload this page').waitFor();
      await other.close();
      await page.goto(`${url}sessions/${lora}?tail=5`);
      await page.getByLabel('Token').fill(TOKEN);
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.locator('#head').getByText('Stopped · by you').waitFor();
      expect(page.url()).toBe(`${url}sessions/${lora}?tail=5`);
      expect(
        trouble.filter(
          (each) => !/net::ERR_|Failed to load resource|network error|reconnect failed with status 401/.test(each),
        ),
      ).toEqual([]);
    } finally {
      await context.close();
    }
  },
  120_000,
);

test('a page behind a proxy that cuts every connection is right again within 5 s of each change', async () => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  try {
    const [, url] = PLACES[0];
    const page = await context.newPage();
    const before = runPodProxy.cuts();
    await change('POST', 'sessions', { ...quick, lora_name: 'cut', max_train_epochs: 400, start: true });
    await page.goto(`${url}sessions/cut?token=${TOKEN}`);
    let slowest = 0;
    for (const [method, path, body, status, shown] of CHANGES) {
      await change(method, path, body);
      await until(sessions, (all) => all.includes(`cut ${status}`));
      const changed = performance.now();
      await page.locator('#head').getByText(shown).waitFor({ timeout: 5000 });
      slowest = Math.max(slowest, performance.now() - changed);
    }
    const cuts = runPodProxy.cuts() - before;
    expect(cuts).toBeGreaterThan(0);
    console.log(`${cuts} streams cut: the page is right after ${Math.round(slowest)} ms at most`);
  } finally {
    await context.close();
  }
});

const CHANGES = [
  ['DELETE', 'sessions/cut/attempts/current', undefined, 'stopped', 'Stopped · by you'],
  ['POST', 'sessions/cut/attempts', { kind: 'relaunch' }, 'running', 'Running'],
  ['DELETE', 'sessions/cut/attempts/current', undefined, 'stopped', 'Stopped · by you'],
  ['POST', 'sessions/cut/attempts', { kind: 'relaunch' }, 'running', 'Running'],
] as const;

/** A form on another site, posted by the browser that is logged in. */
async function refuseForeignForm(context: BrowserContext, to: string): Promise<void> {
  const before = await sessions();
  const page = await context.newPage();
  await page.goto(`http://elsewhere.example/?to=${encodeURIComponent(to)}`);
  const answered = page.waitForResponse((answer) => answer.request().method() === 'POST');
  await page.getByRole('button', { name: 'evil' }).click();
  expect([401, 403]).toContain((await answered).status());
  expect(await sessions()).toEqual(before);
  await page.close();
}

async function sessions(): Promise<string[]> {
  const all = await (await fetch(new URL('sessions', sidecar.url), { headers: bearer })).json();
  return (all as { name: string; status: string }[]).map(({ name, status }) => `${name} ${status}`);
}

/** By a link on a page of another site, as from a mail or a console. */
async function follow(page: Page, to: string): Promise<void> {
  await page.goto(`http://elsewhere.example/?to=${encodeURIComponent(to)}`);
  await page.getByRole('link', { name: 'to the pod' }).click();
}

async function expectCookie(context: BrowserContext, url: string): Promise<void> {
  const secure = url.startsWith('https:');
  const login = {
    name: expect.stringMatching(secure ? /^__Host-trackside-/ : /^trackside-/),
    ...{ secure, httpOnly: true, sameSite: 'Strict', path: '/' },
  };
  // When this browser looked last: it opens nothing.
  const looked = { name: expect.stringMatching(/^trackside-looked-/), secure, sameSite: 'Strict', path: '/' };
  const cookies = (await context.cookies()).sort((a, b) => Number(b.httpOnly) - Number(a.httpOnly));
  expect(cookies).toEqual([expect.objectContaining(login), expect.objectContaining(looked)]);
}

async function change(method: string, path: string, body?: unknown): Promise<void> {
  const answer = await fetch(new URL(path, sidecar.url), {
    method,
    headers: bearer,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(await answer.text());
}
