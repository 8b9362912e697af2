#!/usr/bin/env node
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { getRequestListener } from '@hono/node-server';
import { Command } from 'commander';
import { createApp, meantMethod } from './app.js';
import { seedExample } from './datasets/seed.js';
import { Problem } from './problem.js';
import { readEnvironment } from './processes/environment.js';
import { resolvePython } from './processes/python.js';
import { runCommand } from './processes/run.js';
import { isLoopback, nameOf } from './security/hosts.js';
import { readSettings, type Settings } from './settings.js';
import { createTrackside, type Trackside } from './trackside.js';
import { trainers } from './trainers/catalogue.js';
import { checkAnswer } from './trainers/describe.js';
import { pythonFor } from './trainers/sdScripts/checkout.js';

// A trainer needs the memory more: what is in use may grow by so much before the rest is given back, not fourfold.
setFlagsFromString('--heap-growing-percent=40');

// Nothing that we start gets to see it.
const environment = { ...process.env };
delete process.env.TRACKSIDE_TOKEN;

const program = new Command('trackside')
  .description(
    'A sidecar for LoRA training: start, watch, stop and resume trainings from any browser; nothing is forgotten.',
  )
  .showHelpAfterError();

program
  .command('serve', { isDefault: true })
  .description('Serve the pages until Ctrl-C. Trainings go on without it.')
  .option('--host <address>', 'address to listen on (TRACKSIDE_HOST; default 127.0.0.1)')
  .option('--port <number>', 'port, 0 for any free one (TRACKSIDE_PORT; default 7860)')
  .option('--outputs <folder>', 'where sessions are kept (TRACKSIDE_OUTPUTS; default outputs)')
  .option('--datasets <folder>', 'where pictures and captions are kept (TRACKSIDE_DATASETS; default datasets)')
  .option('--models <folder>', 'where model files are kept (TRACKSIDE_MODELS; default models)')
  .option('--sd-scripts <folder>', 'the checkout of sd-scripts (TRACKSIDE_SD_SCRIPTS; default: the usual places)')
  .option('--python <command>', 'the Python that trains (TRACKSIDE_PYTHON; default: that of the checkout, or python3)')
  .option('--private <folder>', 'where token and secrets are kept (TRACKSIDE_PRIVATE; default ~/.config/trackside)')
  .option('--no-login', 'ask nobody for the token; on this machine only (TRACKSIDE_NO_LOGIN=1)')
  .option('--allowed-hosts <names>', 'further host names to answer to, with commas (TRACKSIDE_ALLOWED_HOSTS)')
  .option(
    '--auto-resume-delays <seconds>',
    'waits before a session resumes by itself, with commas (TRACKSIDE_AUTO_RESUME_DELAYS; default 10,20,40)',
  )
  .option(
    '--stall-scale <number>',
    'times the limits of “no progress”, 2 for slow disks (TRACKSIDE_STALL_SCALE; default 1)',
  )
  .action((flags: Record<string, unknown>) => serve(readSettings(flags, environment)));

program
  .command('describe <script>')
  .description('Print every argument of a Python script with type, default, choices and help, as JSON.')
  .option('--python <command>', 'the Python to ask (TRACKSIDE_PYTHON; default python3)')
  .action(async (script: string, flags: Record<string, string>) => {
    const { python, bridge } = readSettings(flags, environment);
    const argv = [pythonFor(script, python), '-m', 'trackside.describe', script];
    const printed = await runCommand({ argv, cwd: process.cwd(), pythonPath: bridge }).catch((error: Error) => {
      throw new Problem('not_described', 422, error.message);
    });
    process.stdout.write(printed);
    checkAnswer(printed, script);
  });

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Problem ? `trackside: ${error.message}` : error);
  process.exit(1);
});

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
async function serve(settings: Settings): Promise<void> {
  refuseOpenDoor(settings);
  // Nobody may be there any more to read what is printed, or the disk it goes to is full.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  // A slip of ours in the background must not take the page away from whoever watches a training.
  process.on('unhandledRejection', (error) => console.error(error));
  await seedExample(settings.datasets, join(settings.bridge, 'example')).catch((error: Error) => {
    console.error(`trackside: the example pictures could not be copied: ${error.message}`);
  });
  const trackside = createTrackside(settings);
  // Asked now, so that the first start need not wait; a Python that does not work is told when it is needed.
  void resolvePython(settings.python).catch(() => {});
  void readEnvironment(settings.python);
  const app = createApp(trackside);
  const server = createServer(
    limits,
    getRequestListener((request) => app.fetch(meantMethod(request))),
  );
  server.setTimeout(IDLE_MS);
  server.maxConnections = MOST_CONNECTIONS;
  trackside.disk.open();
  const opened = trackside.outputs.open().catch((error: Error) => {
    throw new Problem('no_outputs', 500, `${settings.outputs} can't hold the outputs (${error.message}).`);
  });
  await listen(server, settings);
  const { port } = server.address() as AddressInfo;
  console.log(`Trackside is at ${addressOf(settings, port, trackside.login?.madeToken)}`);
  await opened;
  await trackside.stopping.takeUp();
  await trackside.handRuns.open();
  await trackside.autoResume.open();
  void describeAhead(trackside);

  let ending = false;
  const end = async (signal: NodeJS.Signals) => {
    if (ending) process.exit(1);
    ending = true;
    // A pod that is shut down ends its trainings too: that is no stop by hand.
    if (signal === 'SIGTERM') await Promise.race([trackside.outputs.toldToEnd(), wait(1000)]);
    server.close();
    server.closeAllConnections();
    trackside.autoResume.close();
    trackside.handRuns.close();
    await trackside.outputs.close();
    process.exit(0);
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}

/** What takes ten seconds to be told is asked before somebody opens the form; one after the other, for a pod's sake. */
async function describeAhead({ settings, describe }: Trackside): Promise<void> {
  for (const trainer of trainers(settings)) if (trainer.basics) await describe(trainer).catch(() => {});
}

function listen(server: Server, { host, port }: Settings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const used = error.code === 'EADDRINUSE';
      reject(
        new Problem(
          'cannot_listen',
          500,
          used
            ? `port ${port} is in use already, perhaps by another Trackside. Choose another with --port, or open http://${host}:${port}/.`
            : `cannot listen on ${host}:${port}: ${error.message}`,
        ),
      );
    });
    server.listen(port, host, resolve);
  });
}

/** Without login whoever reaches the port may do everything: that is for a port that only this machine reaches. */
function refuseOpenDoor({ host, login }: Settings): void {
  if (login || isLoopback(nameOf(host))) return;
  throw new Problem(
    'open_door',
    400,
    `${host} with --no-login would open Trackside to everybody who reaches this machine. Leave --no-login out: the address that is printed has the token in it. Or serve on 127.0.0.1.`,
  );
}

/** The address to open, the token in it if we made that; for all addresses of the machine the one that is known. */
function addressOf({ host, pod }: Settings, port: number, token: string | null | undefined): string {
  const everywhere = ['0.0.0.0', '::'].includes(host);
  const name = everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  const address = (!isLoopback(nameOf(host)) && pod.address(port)) || `http://${name}:${port}/`;
  return token ? `${address}?token=${token}` : address;
}
