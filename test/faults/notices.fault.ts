import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readNtfy, startNoticeServer } from '../notices/servers.js';
import { makeTestSidecars, until } from '../sidecar.js';

/** An hour in so many seconds, with the delays as much shorter: 5, 15, 60, 300, 900 s. */
const HOUR_S = 12;
const DELAYS = [5, 15, 60, 300, 900].map((seconds) => (seconds * HOUR_S) / 3600).join(',');
const NOTICES = 60;

test('servers that are down for an hour get every notice once when they are back, though the sidecar was killed meanwhile', async () => {
  const place = makeTestSidecars();
  const [hook, ntfy] = await Promise.all([
    startNoticeServer(() => ({ status: 204 })),
    startNoticeServer((sent) => ({ status: readNtfy(sent) ? 200 : 400 })),
  ]);
  try {
    const environment = { TRACKSIDE_NOTICE_DELAYS: DELAYS };
    let sidecar = await place.serve(environment);
    await sidecar.send('PUT', 'notices/channels/webhook', { url: `${hook.url}/hook` });
    await sidecar.send('PUT', 'notices/channels/ntfy', { server: ntfy.url, topic: 'topic' });
    await sidecar.send('PATCH', 'notices', { tell_queue_empty: false });
    await Promise.all([hook.down(), ntfy.down()]);
    for (let at = 0; at < NOTICES; at += 1) {
      failed(place.outputs, `s${at}`);
      await wait((HOUR_S * 1000) / NOTICES);
      if (at !== NOTICES / 2) continue;
      await sidecar.kill('SIGKILL');
      sidecar = await place.serve(environment);
    }
    await Promise.all([hook.up(), ntfy.up()]);
    const told = () => [
      hook.good().map(({ body }) => String(JSON.parse(body.toString()).data.session)),
      ntfy.good().map((sent) => String(readNtfy(sent)?.title).split(' ')[0] ?? ''),
    ];
    await until(told, (both) => both.every((names) => new Set(names).size === NOTICES), 120);
    for (const names of told()) expect(names).toHaveLength(NOTICES);
  } finally {
    await place.leave();
    await Promise.all([hook.down(), ntfy.down()]);
  }
});

/** A session that has just failed, as its files say. */
function failed(outputs: string, name: string): void {
  const at = new Date().toISOString();
  const ended = { started_at: at, ended_at: at, argv: [], outcome: 'failed', reason: 'No.' };
  const attempt = { id: name, number: 1, kind: 'start', ...ended };
  const record = { lora_name: name, version: 1, trainer: 'practice', status: 'failed', attempts: [attempt] };
  mkdirSync(join(outputs, name));
  writeFileSync(join(outputs, name, 'ui_state.json'), JSON.stringify(record));
}
