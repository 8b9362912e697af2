import { tmpdir } from 'node:os';
import { hubEndpoint } from '../hub/hub.js';
import { readGpus } from '../processes/gpus.js';
import type { Settings } from '../settings.js';
import { findCheckout } from '../trainers/sdScripts/checkout.js';
import { sdScriptsFacts } from '../trainers/sdScripts/facts.js';
import { type Check, error, ok, unknown } from './check.js';
import { checkCluster } from './cluster.js';
import { checkClock, checkExecutable, checkRoom, checkShm, checkWritable } from './folders.js';
import { checkLocks, checkPython, checkTorch } from './python.js';
import { checkGpu, checkHub, checkLimits, checkProxies } from './system.js';

const FRESH_MS = 30_000;

let last: { key: string; at: number; checks: Promise<Check[]> } | null = null;

/**
 * Checks what goes wrong on pods, and says what to do: for `trackside doctor` and the page of diagnostics. Takes seconds,
 * since torch is imported; asked again within half a minute, the answer is the same.
 *
 * @param more `hub` also asks the hub, which may be blocked; `nodes` also runs a job of some seconds in each partition
 */
export function examine(settings: Settings, more: { hub: boolean; nodes: boolean }): Promise<Check[]> {
  const key = `${settings.outputs} ${settings.python} ${more.hub} ${more.nodes}`;
  if (last?.key === key && performance.now() - last.at < FRESH_MS) return last.checks;
  last = { key, at: performance.now(), checks: examineNow(settings, more) };
  return last.checks;
}

async function examineNow(settings: Settings, { hub, nodes }: { hub: boolean; nodes: boolean }): Promise<Check[]> {
  const outputs = { name: 'outputs', path: settings.outputs };
  const written = [
    outputs,
    { name: 'datasets', path: settings.datasets },
    { name: 'models', path: settings.models },
    { name: 'the private folder', path: settings.private },
    { name: 'temporary files', path: tmpdir() },
  ];
  const checkout = findCheckout(settings);
  const python = 'missing' in checkout ? settings.python : checkout.python;
  const [gpu, runs] = await Promise.all([checkGpu(), checkPython(python)]);
  const torch =
    runs.status === 'ok' ? [checkLocks(python, settings.outputs), checkTorch(python, gpu.status === 'ok')] : [];
  const checks = await Promise.all([
    ...written.map(checkWritable),
    checkRoom(outputs),
    checkRoom({ name: 'temporary files', path: tmpdir() }),
    checkExecutable({ name: 'temporary files', path: tmpdir() }),
    checkExecutable(outputs),
    checkShm(),
    checkClock(outputs),
    runs,
    checkSdScripts(settings),
    ...torch,
    gpu,
    checkLimits(),
    checkProxies(process.env),
    ...(hub ? [checkHub(hubEndpoint())] : []),
    checkCluster(settings, nodes),
  ]);
  return checks.flat();
}

/** Is the checkout of sd-scripts whole, with the packages that it needs? */
async function checkSdScripts(settings: Settings): Promise<Check> {
  const { path, missing } = await sdScriptsFacts(settings, await readGpus());
  if (path === null) return unknown('sd-scripts', missing[0] ?? 'sd-scripts was not found.');
  if (missing.length === 0) return ok('sd-scripts', path);
  return error('sd-scripts', `${path}: ${missing.join(' ')}`, 'The Trainers page has the commands that install it.');
}
