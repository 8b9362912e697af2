import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import { openBrowser } from '../browser/chromium.js';
import { openBadLine } from '../datasets/badLine.js';
import { zip } from '../datasets/zip.js';
import { asStarted, makeTestSidecars } from '../sidecar.js';
import { measured } from './needs.js';

const MB = 1_000_000;
const GB = Number(process.env.UPLOAD_GB ?? 10);

test(`${GB} GB of pictures arrive from a browser through a proxy of 100 MB bodies that cuts, in bounded memory`, async () => {
  const place = makeTestSidecars();
  onTestFinished(() => place.leave());
  const home = join(place.folder, 'home');
  mkdirSync(home);
  const side = 5400;
  const raw = { width: side, height: side, channels: 3 } as const;
  const large = await sharp(randomBytes(side * side * 3), { raw })
    .png({ compressionLevel: 0 })
    .toBuffer();
  const first = join(home, '000.png');
  writeFileSync(first, large);
  const inZip = Math.min(10, Math.floor((GB * 1000 * MB) / large.length / 4));
  const files = [first];
  for (let index = 1; files.length * large.length < GB * 1000 * MB - inZip * large.length; index++) {
    const file = join(home, `${String(index).padStart(3, '0')}.png`);
    linkSync(first, file);
    files.push(file);
  }
  const archive = join(home, 'more.zip');
  writeFileSync(
    archive,
    zip(Array.from({ length: inZip }, (_, index) => ({ name: `zipped/z${index}.png`, content: large }))),
  );
  const sidecar = await place.serve(asStarted);
  const port = Number(new URL(sidecar.url).port);
  // Each connection is cut after so long: for a minute of sending as often as a day's upload would be after 100 s.
  const line = await openBadLine(port, { largestBody: 100 * MB, longest: 7000, cuts: 0.02, badGateway: 0.01 });
  onTestFinished(() => line.close());
  const browser = await openBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  // The line may have cut the page's own scripts: it says so then.
  do await page.goto(`${line.url}datasets`);
  while ((await page.locator('#upload .unscripted').count()) > 0);
  await page.fill('#upload-name', 'large');
  const start = resident(sidecar.pid);
  let most = start;
  const watching = setInterval(() => {
    most = Math.max(most, resident(sidecar.pid));
  }, 100);
  onTestFinished(() => clearInterval(watching));
  const began = performance.now();
  await page.setInputFiles('#upload-files', [...files, archive]);
  await page.click('#upload button');
  await page.waitForURL('**/datasets/large', { timeout: 850_000 });
  const seconds = (performance.now() - began) / 1000;
  clearInterval(watching);
  const wanted = createHash('sha256').update(large).digest('hex');
  const arrived = readdirSync(join(place.datasets, 'large'));
  for (const file of arrived) expect(await digest(join(place.datasets, 'large', file))).toBe(wanted);
  expect(arrived).toHaveLength(files.length + inZip);
  const sent = (files.length + inZip) * large.length;
  const again = line.seen.bytes - sent;
  measured(
    20,
    `${(sent / 1e9).toFixed(1)} GB in ${files.length} pictures and an archive of ${inZip}, in ${Math.round(seconds)} s; ${line.seen.requests} requests, largest body ${(line.seen.largestBody / MB).toFixed(1)} MB, ${line.seen.cuts} cuts, ${line.seen.badGateway} times 502; sent twice ${(again / MB).toFixed(0)} MB, ${(again / MB / (line.seen.cuts + line.seen.badGateway)).toFixed(1)} MB a cut; resident ${Math.round(start / MB)} → ${Math.round(most / MB)} MB, +${Math.round((most - start) / MB)} MB`,
  );
  expect(line.seen.largestBody).toBeLessThanOrEqual(32 * 1024 * 1024);
  expect(again / (line.seen.cuts + line.seen.badGateway)).toBeLessThanOrEqual(32 * 1024 * 1024);
  expect(most - start).toBeLessThan(64 * 1024 * 1024);
});

/** Bytes. */
function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}
