import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePlace, type Place, quick, type Sidecar } from '../sidecar.js';
import { openBrowser } from './chromium.js';

const prefix = '/user/me/proxy/7860';
let place: Place;
let sidecar: Sidecar;
let proxy: Server;

beforeAll(async () => {
  place = makePlace();
  sidecar = await place.serve({ TRACKSIDE_ALLOWED_HOSTS: 'pod.example' });
  proxy = await openProxy(sidecar.url);
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await place.leave();
});

// Browsers send Sec-Fetch-Site only to https and localhost: elsewhere the Origin alone tells whose page asked.
test('behind a proxy under a path, on plain http and a name that was allowed, forms start and stop a training', async () => {
  const browser = await openBrowser('pod.example');
  try {
    const page = await browser.newPage();
    await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'proxied', max_train_epochs: 400 });
    await page.goto(`http://pod.example:${(proxy.address() as AddressInfo).port}${prefix}/`);
    await page.locator('#banner').getByRole('button', { name: 'Start proxied V1' }).click();
    await page
      .locator('#banner')
      .getByText(/Running · /)
      .waitFor();
    expect(new URL(page.url()).pathname).toBe(`${prefix}/`);
    await page.locator('#banner').getByRole('link', { name: 'proxied', exact: true }).click();
    await page.getByRole('button', { name: 'Stop proxied V1' }).click();
    await page.locator('#head').getByText('Stopped · by you').waitFor();
    expect(new URL(page.url()).pathname).toBe(`${prefix}/sessions/proxied`);
  } finally {
    await browser.close();
  }
});

/** What Jupyter's proxy does: takes its own path off the front, and passes everything else on as it came. */
async function openProxy(to: string): Promise<Server> {
  const { hostname, port } = new URL(to);
  const server = createServer((asked, answer) => {
    const path = asked.url?.startsWith(`${prefix}/`) ? asked.url.slice(prefix.length) : null;
    if (path === null) return answer.writeHead(404).end();
    const { method, headers } = asked;
    const passed = request({ hostname, port, method, headers, path }, (given) => {
      answer.writeHead(given.statusCode ?? 502, given.headers);
      given.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    return asked.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
