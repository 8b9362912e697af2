import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitOf, isInPath } from '../../processes/run.js';
import type { Channel } from '../channel.js';
import { linked } from '../plainText.js';
import { Undelivered } from '../undelivered.js';

const PATIENCE_MS = 60_000;

/** All the services that Apprise knows, where it is installed (github.com/caronc/apprise). */
export const apprise: Channel = {
  id: 'apprise',
  name: 'Apprise',
  what: 'Reaches more than a hundred services: Signal, Matrix, Pushover, Teams and others. One address per line, in Apprise’s format.',
  fields: [{ name: 'urls', label: 'Addresses', secret: true, is: 'lines', placeholder: 'pover://user@token' }],
  async missing() {
    return isInPath('apprise') ? null : 'Apprise is not installed here. Install it with: pip install apprise';
  },
  async send({ urls = '' }, message) {
    const folder = await mkdtemp(join(tmpdir(), 'trackside-apprise-'));
    try {
      // Everybody on the machine reads the arguments of a process, so the addresses are in a file.
      const config = join(folder, `${randomBytes(6).toString('hex')}.conf`);
      await writeFile(config, `${urls}\n`, { mode: 0o600 });
      const argv = ['apprise', '--config', config, '--title', message.title, '--body', linked(message)];
      if (message.image) {
        const picture = join(folder, message.image.name);
        await writeFile(picture, message.image.bytes, { mode: 0o600 });
        argv.push('--attach', picture);
      }
      await run(argv, urls.trim().split('\n').length === 1);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** With several addresses it is not tried again: some of them may have got it. */
async function run(argv: string[], again: boolean): Promise<void> {
  // What it says may hold the addresses.
  const { code } = await exitOf(argv, PATIENCE_MS);
  if (code === null) throw new Undelivered('Apprise did not finish within a minute.', again);
  if (code !== 0) throw new Undelivered('Apprise could not send it to every address.', again);
}
