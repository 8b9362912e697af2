import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { createApp } from '../app.js';
import { bridge } from '../bridge.js';
import { logged } from '../caught.js';
import { seedExample } from '../datasets/seed.js';
import { makeRoot } from '../files/makeRoot.js';
import { log, setLogLevel } from '../log.js';
import { Problem } from '../problem.js';
import { resolvePython } from '../processes/python.js';
import { isLoopback, nameOf } from '../security/hosts.js';
import { maskConsole } from '../security/maskConsole.js';
import { readEnvironment } from '../sessions/attempt/environment.js';
import type { Settings } from '../settings.js';
import { createTrackside, type Service, type Trackside } from '../trackside.js';
import { trainers } from '../trainers/catalogue.js';
import { addressOf } from './address.js';

/** Headers come at once; a body may take as long as it moves (an upload over a slow line), like a stream. */
const limits = {
  headersTimeout: 20_000,
  requestTimeout: 0,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5000,
};
const IDLE_MS = 300_000;
const MOST_CONNECTIONS = 2000;

/** Listens, prints one line with the address, and serves until a signal. Throws a Problem where it can't. */
export async function serve(settings: Settings): Promise<void> {
  refuseOpenDoor(settings);
  // Nobody may be there any more to read what is printed, or the disk it goes to is full.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  maskConsole(process.stderr);
  setLogLevel(settings.log);
  // A slip of ours in the background must not take the page away from whoever watches a training.
  for (const slip of ['unhandledRejection', 'uncaughtException'] as const)
    process.on(slip, (error: unknown) =>
      log.error('sidecar', 'A slip in the background; the rest goes on.', { error }),
    );
  await makeRoot(settings.datasets)
    .then(() => seedExample(settings.datasets, bridge.example))
    .catch(logged('datasets', 'The example pictures could not be copied.'));
  // Before the address is printed: who opens it would wait for answers that never come.
  await makeRoot(settings.outputs).catch((error: Error) => {
    throw noOutputs(settings, error);
  });
  const trackside = createTrackside(settings);
  // Asked now, so that the first start need not wait; a Python that does not work is told when it is needed.
  void resolvePython(settings.python).catch((error: unknown) => {
    log.debug('python', 'No Python that works was found.', { error });
  });
  void readEnvironment(settings.python);
  const app = createApp(trackside);
  const server = createServer(limits, getRequestListener(app.fetch));
  server.setTimeout(IDLE_MS);
  server.maxConnections = MOST_CONNECTIONS;
  const opened = openAll(trackside.services);
  await listen(server, settings);
  const { port } = server.address() as AddressInfo;
  console.log(`Trackside is at ${addressOf(settings, port, trackside.login?.madeToken ?? null)}`);
  await opened;
  void describeAhead(trackside);

  let ending = false;
  const end = async (signal: NodeJS.Signals) => {
    if (ending) process.exit(1);
    ending = true;
    // Whoever pressed Ctrl-C knows.
    if (signal === 'SIGTERM') log.info('sidecar', 'Ends, for it was sent SIGTERM; trainings go on.');
    // A pod that is shut down ends its trainings too: that is no stop by hand.
    if (signal === 'SIGTERM') await Promise.race([trackside.outputs.toldToEnd(), wait(1000)]);
    server.close();
    server.closeAllConnections();
    for (const { close } of trackside.services.toReversed()) await close();
    process.exit(0);
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}

async function openAll(services: readonly Service[]): Promise<void> {
  for (const { open } of services) await open?.();
}

/** What takes ten seconds to be told is asked before somebody opens the form; one after the other, for a pod's sake. */
async function describeAhead({ settings, describe }: Trackside): Promise<void> {
  for (const trainer of trainers(settings)) {
    if (!trainer.basics) continue;
    await describe(trainer).catch((error: unknown) => {
      log.debug('trainers', `${trainer.id} could not be asked for its arguments.`, { error });
    });
  }
}

function listen(server: Server, { host, port }: Settings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const used = error.code === 'EADDRINUSE';
      reject(
        new Problem(
          'cannot_listen',
          used
            ? `port ${port} is in use already, perhaps by another Trackside. Choose another with --port, or open http://${host}:${port}/.`
            : `cannot listen on ${host}:${port}: ${error.message}`,
        ),
      );
    });
    server.listen(port, host, resolve);
  });
}

function noOutputs({ outputs }: Settings, error: Error): Problem {
  return new Problem(
    'no_outputs',
    `${outputs} can't hold the outputs (${error.message}). Choose another folder with --outputs.`,
  );
}

/** Without login whoever reaches the port may do everything: that is for a port that only this machine reaches. */
function refuseOpenDoor({ host, login }: Settings): void {
  if (login || isLoopback(nameOf(host))) return;
  throw new Problem(
    'open_door',
    `${host} with --no-login would open Trackside to everybody who reaches this machine. Leave --no-login out: the address that is printed has the token in it. Or serve on 127.0.0.1.`,
  );
}
