import { kernelText } from '../files/kernelText.js';
import { readGpus } from '../processes/gpus.js';
import { type Check, error, ok, unknown, warning } from './check.js';

const FEWEST_FILES = 4096;
const FEWEST_PROCESSES = 512;
const HUB_MS = 5000;

/** Is there a GPU, and does its driver answer? */
export async function checkGpu(): Promise<Check> {
  const { gpus, missing } = await readGpus();
  const words = gpus.map(({ index, name, driver }) => `${index}: ${name}, driver ${driver}`).join('; ');
  if (gpus.length > 0) return ok('gpu', words);
  const todo =
    'In a container: start it with --gpus all. On a pod: restart it; a pod whose GPU is gone does not get it back by itself.';
  return warning('gpu', missing ?? 'None was found.', todo);
}

/** May enough files and processes be open at once? Data loaders and safetensors take hundreds. */
export function checkLimits(): Check[] {
  const limits = kernelText('/proc/self/limits');
  return [
    limit(
      'open files',
      /^Max open files\s+(\S+)/m.exec(limits)?.[1],
      FEWEST_FILES,
      'Raise it: ulimit -n 65536 before Trackside is started.',
    ),
    limit(
      'processes',
      /^Max processes\s+(\S+)/m.exec(limits)?.[1],
      FEWEST_PROCESSES,
      'Raise it: ulimit -u unlimited before Trackside is started.',
    ),
    limit(
      'processes of the container',
      kernelText('/sys/fs/cgroup/pids.max').trim(),
      FEWEST_PROCESSES,
      'Start the container with a higher --pids-limit.',
    ),
  ];
}

function limit(name: string, value: string | undefined, fewest: number, todo: string): Check {
  const about = `limit of ${name}`;
  if (!value) return unknown(about, 'It is not known here.');
  if (value === 'unlimited' || value === 'max') return ok(about, 'none');
  return Number(value) < fewest ? warning(about, value, todo) : ok(about, value);
}

/** Would requests to this machine itself go through a proxy? */
export function checkProxies(environment: NodeJS.ProcessEnv): Check {
  const get = (name: string) => environment[name] ?? environment[name.toUpperCase()] ?? '';
  const set = ['http_proxy', 'https_proxy', 'all_proxy'].filter((name) => get(name));
  if (set.length === 0) return ok('proxies', 'none');
  const around = get('no_proxy')
    .split(',')
    .map((each) => each.trim());
  if (around.some((each) => ['*', 'localhost', '127.0.0.1'].includes(each)))
    return ok('proxies', `${set.join(', ')}, not for this machine itself`);
  return warning(
    'proxies',
    `${set.join(', ')} also takes requests to this machine itself.`,
    'Set NO_PROXY=localhost,127.0.0.1.',
  );
}

/** Does the model hub answer, and is our clock right by it? */
export async function checkHub(endpoint: string): Promise<Check> {
  const name = 'hub';
  const todo =
    'Check the network and proxies of the pod. Without the hub, upload models yourself, or set HF_ENDPOINT to a mirror.';
  try {
    const answer = await fetch(endpoint, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(HUB_MS) });
    const skew = Math.round((Date.now() - Date.parse(answer.headers.get('date') ?? '')) / 1000);
    if (Math.abs(skew) > 300)
      return error(
        name,
        `${endpoint} answers, but the clock here is ${skew} s off.`,
        'Set the clock, or downloads and uploads will be refused.',
      );
    return answer.status < 500
      ? ok(name, `${endpoint} answers`)
      : warning(name, `${endpoint} answers ${answer.status}.`, 'Try again later.');
  } catch (failed) {
    const why =
      failed instanceof Error && failed.cause instanceof Error ? failed.cause.message : (failed as Error).message;
    return error(name, `${endpoint} does not answer within ${HUB_MS / 1000} s: ${why}.`, todo);
  }
}
