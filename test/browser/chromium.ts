import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Debian's Chromium, headless, that talks to nobody but us; `names` lead to us, or to a port: `pod.example:443 127.0.0.1:8443`. */
export function openBrowser(...names: string[]): Promise<Browser> {
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const rules = names.map((name) => `MAP ${name.includes(' ') ? name : `${name} 127.0.0.1`}`);
  const resolve = rules.length ? [`--host-resolver-rules=${rules.join(',')}`] : [];
  // A context's ignoreHTTPSErrors is for its pages alone, not for their shared workers.
  const args = ['--no-sandbox', '--ignore-certificate-errors', '--disable-gpu', '--disable-quic', ...quiet, ...resolve];
  return chromium.launch({ executablePath: installed(), args });
}

function installed(): string {
  const path = places.find((each) => existsSync(each));
  if (!path) throw new Error('Chromium is missing: apt-get install chromium');
  return path;
}

/** What went wrong in a page: errors of scripts, refused policies, failed answers. */
export function listenForTrouble(page: Page): string[] {
  const trouble: string[] = [];
  page.on('pageerror', (error) => trouble.push(`script: ${error.message}`));
  page.on('console', (message) => message.type() === 'error' && trouble.push(`console: ${message.text()}`));
  page.on('response', (answer) => answer.status() >= 500 && trouble.push(`${answer.status()} ${answer.url()}`));
  return trouble;
}
