import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const whole = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** The same engine without a browser's own window: five pages take it a sixth of the processor's time. */
const shell = '/usr/bin/chromium-headless-shell';

/** Debian's Chromium, headless, that talks to nobody but us; `names` lead to us, or to a port: `pod.example:443 127.0.0.1:8443`. */
export function openBrowser(...names: string[]): Promise<Browser> {
  return openOneOf([shell, ...whole], names);
}

/** One that can show notifications. */
export function openWholeBrowser(...names: string[]): Promise<Browser> {
  return openOneOf(whole, names);
}

function openOneOf(places: string[], names: string[]): Promise<Browser> {
  const executablePath = places.find((each) => existsSync(each));
  if (!executablePath) throw new Error('Chromium is missing: apt-get install chromium');
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const rules = names.map((name) => `MAP ${name.includes(' ') ? name : `${name} 127.0.0.1`}`);
  const resolve = rules.length ? [`--host-resolver-rules=${rules.join(',')}`] : [];
  // A context's ignoreHTTPSErrors is for its pages alone, not for their shared workers.
  const args = ['--no-sandbox', '--ignore-certificate-errors', '--disable-gpu', '--disable-quic', ...quiet, ...resolve];
  return chromium.launch({ executablePath, args });
}

/** What went wrong in a page: errors of scripts, refused policies, failed answers. */
export function listenForTrouble(page: Page): string[] {
  const trouble: string[] = [];
  page.on('pageerror', (error) => trouble.push(`script: ${error.message}`));
  page.on('console', (message) => message.type() === 'error' && trouble.push(`console: ${message.text()}`));
  page.on('response', (answer) => answer.status() >= 500 && trouble.push(`${answer.status()} ${answer.url()}`));
  return trouble;
}
