import { basename, join } from 'node:path';
import { logged } from './caught.js';
import { allowSwapping } from './files/swap.js';
import { createDownloads } from './hub/downloads.js';
import { hubEndpoint } from './hub/hub.js';
import { hasCluster } from './launchers/slurm/presence.js';
import { createHub } from './live/hub.js';
import { createNotices } from './live/notices.js';
import { createFileHashes } from './models/fileHash.js';
import { placeTokenizer } from './models/tokenizers.js';
import { openNoticeSettings } from './notices/noticeSettings.js';
import { createOutbox } from './notices/outbox.js';
import { createPing } from './notices/ping.js';
import { createPodParts } from './podParts.js';
import { resolvePython } from './processes/python.js';
import { runCommand } from './processes/run.js';
import { createCards } from './publish/cards.js';
import { createPublishing } from './publish/publish.js';
import { openLogin } from './security/login.js';
import { refuseShownFolder } from './security/privateFolder.js';
import { hideValues } from './security/redact.js';
import { openSecrets } from './security/secrets.js';
import { openShares } from './security/shares.js';
import { followRefusals } from './sessions/attempt/ask.js';
import { createEndings } from './sessions/attempt/endings.js';
import { createExactCheck } from './sessions/attempt/exactCheck.js';
import { openOutputs } from './sessions/outputs/outputs.js';
import { nothingUnderWay } from './sessions/underWay.js';
import { createAutoResume } from './sessions/watchers/autoResume.js';
import { watchGpuMemory } from './sessions/watchers/gpuMemory.js';
import { watchHandRuns } from './sessions/watchers/handRuns.js';
import { watchJobs } from './sessions/watchers/jobs.js';
import { watchMachineForNotices } from './sessions/watchers/machineNotices.js';
import { watchForNotices } from './sessions/watchers/notices.js';
import { watchQueue } from './sessions/watchers/queue.js';
import { watchRetention } from './sessions/watchers/retention.js';
import { watchStandstills } from './sessions/watchers/standstills.js';
import { watchTrackedStarts } from './sessions/watchers/trackedStarts.js';
import { watchTrash } from './sessions/watchers/trash.js';
import type { Settings } from './settings.js';
import { readDisk } from './telemetry/disk.js';
import { createDiskWatch } from './telemetry/diskTrouble.js';
import { watchMachine } from './telemetry/machine/machine.js';
import { type Describe, describeArguments } from './trainers/describe.js';
import { createDialects } from './trainers/dialects.js';
import { loadAssets } from './views/assets.js';
import { createViews } from './views/pages.js';

/** A part that runs as long as the sidecar. Closing it touches no training. */
export type Service = { name: string; open?(): void | Promise<void>; close(): void | Promise<void> };

/** Everything a route may need, made once. */
export type Trackside = ReturnType<typeof createTrackside>;

/** Puts the rooms together, without reading or watching anything yet (see `outputs.open`). */
export function createTrackside(settings: Settings) {
  const hub = createHub();
  const notices = createNotices(hub);
  const underWay = nothingUnderWay();
  refuseShownFolder(settings.private, [settings.outputs, settings.datasets]);
  const login = settings.login ? openLogin(settings.token, settings.private) : null;
  const secrets = openSecrets({ folder: settings.private, environment: process.env });
  for (const token of [settings.token, login?.madeToken]) if (token) secrets.teach(token);
  const showValues = hideValues(secrets.all);
  allowSwapping(() => resolvePython(settings.python));
  const dialectOf = createDialects(settings);
  const exactCheck = createExactCheck(settings);
  const memory = join(settings.private, 'outputs.json');
  const place = { root: settings.outputs, memory, build: settings.build };
  const outputs = openOutputs({ ...place, hub, notices, dialectOf, exactCheck });
  const disk = createDiskWatch({
    roots: [settings.outputs, settings.datasets],
    changed: () => hub.tell({ type: 'disk' }),
    // Writes the facts that are only in memory.
    recovered: (folders) => {
      for (const name of folders.map((folder) => basename(folder)))
        void outputs.refresh(name).catch(logged('sessions', 'The session could not be read again.', name));
    },
  });
  const development = Boolean(process.env.TRACKSIDE_DEVELOPMENT);
  const assets = loadAssets(settings.templates, development);
  const machine = watchMachine({ outputs: settings.outputs, changed: () => hub.tell({ type: 'machine' }) });
  const views = createViews({ templates: settings.templates, assets, development, logout: login !== null });
  const handRuns = watchHandRuns({ outputs, hub, cluster: hasCluster(settings) });
  const endings = createEndings({ outputs });
  const modelHub = { endpoint: hubEndpoint(), token: () => secrets.get('HF_TOKEN') };
  const downloads = createDownloads({
    models: settings.models,
    hub: modelHub,
    changed: () => hub.tell({ type: 'models' }),
    arrived: ({ into }, commit) => placeTokenizer(settings.models, into, commit),
  });
  const describe: Describe = (trainer) =>
    describeArguments(trainer, {
      python: trainer.python ?? settings.python,
      run: runCommand,
      kept: join(settings.private, 'described'),
    });
  const publishing = createPublishing({ hub: modelHub, changed: (name) => hub.tell({ type: 'publication', name }) });
  const cards = createCards({ outputs, hub, version: settings.version });
  const noticeStore = openNoticeSettings({ folder: settings.private, teach: secrets.teach });
  const outbox = createOutbox({
    folder: join(settings.private, 'outbox'),
    delays: settings.noticeDelays,
    store: noticeStore,
    changed: () => hub.tell({ type: 'outbox' }),
  });
  const pageAt = (path: string) => {
    const page = noticeStore.now().page || settings.pod.address(settings.port);
    return page && new URL(path, page.endsWith('/') ? page : `${page}/`).href;
  };
  const ping = createPing({ store: noticeStore });
  const hashes = createFileHashes({ file: join(settings.private, 'hashes.json'), python: settings.python });
  const watched = { settings, secrets, describe, outputs, endings, underWay, hub, hashes };
  const queue = watchQueue(watched);
  const pod = createPodParts({
    ...{ settings, secrets, outputs, endings, underWay, hub, notices, outbox, machine, handRuns },
    ...{ downloads, publishing, modelHub, noticeStore, pageAt },
  });
  const words = { store: noticeStore, pageAt, costOf: pod.costOf };
  const retention = watchRetention(
    { settings, outputs, notices },
    { now: () => new Date(), disk: () => readDisk(settings.outputs) },
  );
  const services: Service[] = [
    { name: 'secrets', close: showValues },
    { name: 'disk', ...disk },
    { name: 'machine', ...machine },
    // Before the outputs, which announce the sessions that completed while no sidecar ran.
    { name: 'model cards', ...cards },
    { name: 'outputs', ...outputs },
    { name: 'endings', ...endings },
    { name: 'refused pauses', close: followRefusals({ outputs }) },
    { name: 'jobs', ...watchJobs({ outputs, hub, notices }) },
    { name: 'trainings by hand', ...handRuns },
    { name: 'standstills', ...watchStandstills(watched) },
    { name: 'memory of GPUs', ...watchGpuMemory({ outputs, hub, machine, settings }) },
    { name: 'automatic resumes', ...createAutoResume(watched) },
    { name: 'trainings of scripts', ...watchTrackedStarts(watched) },
    { name: 'outbox', ...outbox },
    { name: 'trash', ...watchTrash(settings.outputs) },
    { name: 'queue', ...queue },
    { name: 'notices', ...watchForNotices({ ...words, outputs, hub, outbox }) },
    { name: 'notices of the machine', ...watchMachineForNotices({ ...words, hub, outbox, machine }) },
    { name: 'ping', ...ping },
    ...pod.services,
    { name: 'retention', ...retention },
    { name: 'downloads', ...downloads },
    { name: 'publications', ...publishing },
  ];
  return {
    settings,
    underWay,
    /** Null without a login. */
    login,
    /** Read-only links; null without a login. */
    shares: login && openShares(settings.private, login.sign),
    secrets,
    hub,
    notices,
    outputs,
    disk,
    machine,
    endings,
    handRuns,
    queue,
    downloads,
    publishing,
    outbox,
    ping,
    pod,
    noticeStore,
    pageAt,
    /** In the order of opening; closed in reverse. */
    services,
    views,
    assets,
    describe,
    hashes,
  };
}
