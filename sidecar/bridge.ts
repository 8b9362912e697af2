import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** The folder that holds package.json; this file runs from `.build/sidecar/` (or `.build.<which>/`), or from `sidecar/` under a test runner. */
export const projectRoot = fileURLToPath(
  new URL(/\/\.build(\.\w+)?\/sidecar\//.test(import.meta.url) ? '../..' : '..', import.meta.url),
);

const folder = join(projectRoot, 'trainer-bridge');

/** Paths of the Python side. `folder` is a PYTHONPATH: it contains the package `trackside`. */
export const bridge = {
  folder,
  runner: join(folder, 'trackside', 'runner.py'),
  swap: join(folder, 'trackside', '_swap.py'),
  describe: join(folder, 'trackside', '_describe', '__main__.py'),
  practiceTrainer: join(folder, 'practice_train_network.py'),
  /** Starts sd-scripts so that it can be paused after any step. */
  exact: join(folder, 'trackside', 'exact.py'),
  example: join(folder, 'example'),
} as const;

const fieldType = z.enum(['text', 'text?', 'texts', 'integer', 'integer?', 'number?', 'boolean']);

/** The contract of runner and sidecar: trainer-bridge/trackside/_attempt/contract.json, which contract.py beside it reads too. */
export const contract = z
  .strictObject({
    /** Between two heartbeats; from the last heartbeat until a runner counts as dead; from a stop to SIGKILL. */
    seconds: z.strictObject({ heartbeat: z.number(), silent: z.number(), stop_grace: z.number() }),
    /** Of a runner that started nothing: the folder is not writable, or another attempt holds it. */
    exit_codes: z.strictObject({ unwritable: z.int(), held: z.int() }),
    /** Names in an output folder. */
    files: z.strictObject({
      attempt: z.string(),
      pid: z.string(),
      log: z.string(),
      /** The lock, on file systems that can't lock folders. */
      lock: z.string(),
      /** Touched by a sidecar for a runner that died before its trainer did; the next runner removes it. */
      beaten_for: z.string(),
      /** Written by a sidecar that receives SIGTERM during an attempt; the next runner removes it. */
      pod_end: z.string(),
      /** Written by a training that ends by itself after SIGTERM: its grace, and its process. */
      tracked: z.string(),
      /** Of `import trackside`: one line a log; how it was started; the manifest in a state folder. */
      metrics: z.string(),
      launch: z.string(),
      manifest: z.string(),
      /** Written by a sidecar on any host that asks the runner to stop; the next runner removes it. */
      stop: z.string(),
      /** Written by a sidecar on any host that asks the trainer for more: a pause, a save, samples, its end. */
      ask: z.string(),
    }),
    /** The fields of that request: the attempt's id, the time, and who asked. */
    stop: z.strictObject({ attempt: z.literal('text'), requested_at: z.literal('text'), host: z.literal('text') }),
    /** A larger number than any attempt has. */
    largest_number: z.int(),
    /** The environment variable that carries the attempt's id in every process of an attempt. */
    mark: z.string(),
    /** Those with the session's folder, and with the state folder to resume from. */
    session: z.string(),
    resume: z.string(),
    /** That with why the state is gone on with plainly, in words. */
    plainly: z.string(),
    /** The fields of attempt.json: `?` allows null, a list allows one of its values. */
    attempt: z.record(z.string(), z.union([fieldType, z.array(z.string().nullable())])),
  })
  .parse(JSON.parse(readFileSync(join(folder, 'trackside', '_attempt', 'contract.json'), 'utf8')));
