import { basename } from 'node:path';
import type { Downloads } from './hub/downloads.js';
import type { HubAccess } from './hub/hub.js';
import type { Hub } from './live/hub.js';
import type { Notices } from './live/notices.js';
import type { NoticeStore } from './notices/noticeSettings.js';
import type { Outbox } from './notices/outbox.js';
import { openDownloaded } from './pods/downloaded.js';
import { findProvider } from './pods/findProvider.js';
import { whoIsLoggedIn } from './pods/loggedIn.js';
import { createMeter } from './pods/meter.js';
import { createPodPrice } from './pods/podPrice.js';
import { openPodSettings } from './pods/podSettings.js';
import type { Publishing } from './publish/publish.js';
import { saveWeights, weightsOf } from './publish/saveWeights.js';
import type { Secrets } from './security/secrets.js';
import type { Stopping } from './sessions/attempt/stop.js';
import type { HandRunFacts } from './sessions/byHandFacts.js';
import type { SessionFacts } from './sessions/facts.js';
import { type SessionCost, sessionCost } from './sessions/status/sessionCost.js';
import type { UnderWay } from './sessions/underWay.js';
import { busyWith } from './sessions/watchers/busy.js';
import { createPodStop } from './sessions/watchers/podStop.js';
import { watchSpending } from './sessions/watchers/spending.js';
import type { Settings } from './settings.js';
import type { MachineFacts } from './telemetry/machine/machine.js';

type Parts = Stopping & {
  settings: Settings;
  secrets: Secrets;
  underWay: UnderWay;
  hub: Hub;
  notices: Notices;
  outbox: Outbox;
  machine: { facts(): MachineFacts };
  handRuns: { elsewhere(): HandRunFacts[] };
  downloads: Downloads;
  publishing: Publishing;
  modelHub: HubAccess;
  noticeStore: NoticeStore;
  pageAt(path: string): string | null;
};

/** Puts together what knows of the pod itself: its price, what was spent, its limit, and that it stops by itself. */
export function createPodParts(parts: Parts) {
  const { settings, secrets, outputs, endings, notices, outbox, machine, pageAt, noticeStore } = parts;
  const { publishing, modelHub, downloads } = parts;
  const store = openPodSettings({ folder: settings.private, teach: secrets.teach });
  const provider = () => findProvider(store.now(), process.env, settings.podApi);
  const price = createPodPrice({ settings: store.now, provider });
  const meter = createMeter({ folder: settings.private, price: price.now });
  const downloaded = openDownloaded(settings.private);
  const cost = (facts: SessionFacts, hourly: number | null = price.now()): SessionCost | null =>
    hourly === null ? null : sessionCost(facts, hourly, machine.facts().now?.gpus.length ?? 0);
  const costOf = (facts: SessionFacts) => {
    const known = cost(facts);
    return known && `$${known.so_far.toFixed(2)}`;
  };
  const words = { store: noticeStore, pageAt, costOf };
  const stop = createPodStop({
    ...words,
    folder: settings.private,
    settings: store.now,
    provider,
    sessions: () => outputs.list(),
    busy: async () =>
      busyWith({
        sessions: await outputs.list(),
        beginning: parts.underWay.beginning,
        byHand: parts.handRuns.elsewhere(),
        downloads: downloads.list().filter(({ status }) => status !== 'failed' && status !== 'done').length,
        uploads: publishing.running(),
        sending: downloaded.underWay(),
        loggedIn: () => (store.now().logins ? whoIsLoggedIn() : null),
      }),
    saveWeights: (sessions, uploaded) =>
      saveWeights({ outputs, publishing, secrets, settings, modelHub }, store.now(), sessions, uploaded),
    notDownloaded: async (sessions) => {
      const found = await Promise.all(sessions.map(({ name }) => weightsOf({ outputs }, name)));
      const finals = found.filter((path) => path !== null);
      const had = await Promise.all(finals.map((path) => downloaded.has(path)));
      return finals.filter((_, at) => !had[at]).map((path) => basename(path));
    },
    outbox,
    notices,
    changed: () => parts.hub.tell({ type: 'pod' }),
    patience: { again: settings.podPatience[0] ?? 30, worked: settings.podPatience[1] ?? 120 },
  });
  const spending = watchSpending({ ...words, outputs, endings, settings: store.now, meter, outbox, notices });
  return {
    store,
    provider,
    price: price.now,
    meter,
    stop,
    /** Which files were sent to a browser. */
    downloaded,
    /** Of a session, in US dollars: at the pod's price, or another one. Null where none is known. */
    cost,
    costOf,
    services: [
      { name: 'price', ...price },
      { name: 'meter', ...meter },
      { name: 'spending', ...spending },
      { name: 'pod', ...stop },
    ],
  };
}
