import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { createApp } from '../app.js';
import { bridge } from '../bridge.js';
import { beginAnew, logged } from '../caught.js';
import { seedExample } from '../datasets/seed.js';
import { inTime } from '../files/inTime.js';
import { makeRoot } from '../files/makeRoot.js';
import { log, setLogLevel } from '../log.js';
import { Problem } from '../problem.js';
import { isLoopback, nameOf } from '../security/hosts.js';
import { maskConsole } from '../security/maskConsole.js';
import { readEnvironment } from '../sessions/attempt/environment.js';
import type { Settings } from '../settings.js';
import { createTrackside, type Service, type Trackside } from '../trackside.js';
import { trainers } from '../trainers/catalogue.js';
import { addressOf } from './address.js';
import { limitIdle } from './limitIdle.js';
import { noteServing } from './serving.js';

/** Headers have a time limit; a body may take as long as it moves (an upload over a slow line), like a stream. */
const limits = {
  headersTimeout: 20_000,
  requestTimeout: 0,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5000,
};
const IDLE_MS = 300_000;
const MOST_CONNECTIONS = 2000;

/** Within a pod's few seconds for everything. */
const OPENING_MS = 2000;
/** For how long an error of ours is shown. */
const TOLD_SECONDS = 600;
const OWN_ERROR =
  'Your trainings are not affected, and the part that failed was restarted. Please report this: the Diagnostics page has the details.';

/** Listens, prints one line with the address, and serves until a signal. Throws a Problem if it can't. */
export async function serve(settings: Settings): Promise<void> {
  refuseOpenDoor(settings);
  // The reader of our output may be gone, or its disk full.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  maskConsole(process.stderr);
  setLogLevel(settings.log);
  let tell = (_: string) => {};
  // A background error of ours must not take the page away from a person who watches a training.
  for (const slip of ['unhandledRejection', 'uncaughtException'] as const)
    process.on(slip, (error: unknown) => {
      log.error('sidecar', 'Background work failed unexpectedly and was restarted. Everything else continues.', {
        error,
      });
      beginAnew();
      tell(`Trackside ran into an error of its own (${firstLine(error)}). ${OWN_ERROR}`);
    });
  await inTime(settings.datasets, async () => {
    await makeRoot(settings.datasets);
    await seedExample(settings.datasets, bridge.example);
  }).catch(logged('datasets', 'The example pictures could not be copied.'));
  // Before the address is printed: a browser would wait for answers that never come. A volume that hangs is told on the page,
  // and read as soon as it answers.
  await inTime(settings.outputs, () => makeRoot(settings.outputs)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'no_answer') throw noOutputs(settings, error);
  });
  const trackside = createTrackside(settings);
  tell = (message) => trackside.notices.tell('own error', message, TOLD_SECONDS);
  // Early, so that the first start need not wait; a broken Python is reported when it is needed.
  void readEnvironment(settings.python);
  const app = createApp(trackside);
  const server = createServer(limits, getRequestListener(app.fetch));
  limitIdle(server, IDLE_MS);
  server.maxConnections = MOST_CONNECTIONS;
  const opened = openAll(trackside.services);
  await listen(server, settings);
  const { port } = server.address() as AddressInfo;
  const address = addressOf(settings, port, trackside.login?.madeToken ?? null);
  const forgetServing = noteServing(settings, address, port);
  let ending = false;
  const end = async (signal: NodeJS.Signals) => {
    if (ending) process.exit(1);
    ending = true;
    // A person who pressed Ctrl-C knows.
    if (signal === 'SIGTERM') log.info('sidecar', 'Ending after SIGTERM; trainings continue.');
    // Whoever asks as soon as we are listening may not wait for the last service.
    await Promise.race([Promise.allSettled([opened]), wait(OPENING_MS)]);
    // A pod's shutdown ends its trainings too, and is not a stop by hand.
    if (signal === 'SIGTERM') await Promise.race([trackside.outputs.toldToEnd(), wait(1000)]);
    forgetServing();
    server.close();
    server.closeAllConnections();
    for (const { close } of trackside.services.toReversed()) await close();
    process.exit(0);
  };
  process.on('SIGINT', end);
  // A Python program that started us holds the other end, and is gone, however it ended.
  if (process.env.TRACKSIDE_UNTIL_STDIN_ENDS) process.stdin.resume().once('close', () => void end('SIGHUP'));
  process.on('SIGTERM', end);
  console.log(`Trackside is at ${address}`);
  await opened;
  void describeAhead(trackside);
}

function firstLine(error: unknown): string {
  return String(error).split('\n')[0]?.slice(0, 200) ?? '';
}

async function openAll(services: readonly Service[]): Promise<void> {
  for (const { open } of services) await open?.();
}

/** Asks the trainers for their arguments, which takes ten seconds each, before the form needs them; one after the other. */
async function describeAhead({ settings, describe }: Trackside): Promise<void> {
  for (const trainer of trainers(settings)) {
    if (!trainer.basics && !trainer.own) continue;
    await (trainer.own?.describe() ?? describe(trainer)).catch((error: unknown) => {
      log.debug('trainers', `The arguments of ${trainer.id} could not be read.`, { error });
    });
  }
}

function listen(server: Server, { host, port }: Settings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const used = `port ${port} is already in use, perhaps by another Trackside. Choose another with --port, or open http://${host}:${port}/.`;
      const other = `cannot listen on ${host}:${port}: ${error.message}`;
      reject(new Problem('cannot_listen', error.code === 'EADDRINUSE' ? used : other));
    });
    server.listen(port, host, resolve);
  });
}

function noOutputs({ outputs }: Settings, error: Error): Problem {
  return new Problem(
    'no_outputs',
    `can't keep the outputs in ${outputs} (${error.message}). Choose another folder with --outputs.`,
  );
}

/** Refuses --no-login on a port that others reach: they could do everything. */
function refuseOpenDoor({ host, login }: Settings): void {
  if (login || isLoopback(nameOf(host))) return;
  throw new Problem(
    'open_door',
    `--no-login on ${host} would let anybody who can reach this machine control Trackside. Leave --no-login out (the printed address contains the token), or serve on 127.0.0.1.`,
  );
}
