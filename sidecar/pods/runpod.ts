import { log } from '../log.js';
import { post } from '../notices/post.js';
import { isInPath, runCommand } from '../processes/run.js';
import { PodProblem, type PodState, type Provider, UNKNOWN } from './provider.js';

/** Bytes. */
const MOST = 200_000;
const PATIENCE_MS = 60_000;

/**
 * RunPod: by its REST interface (docs.runpod.io/api-reference/pods), else by the runpodctl that its images have, in the new
 * words and in the old. An old runpodctl prints "stop failed" and exits 0 (runpod/runpodctl cmd/pod/stopPod.go), so nothing
 * that it says counts: only what is read back.
 */
export function runpod({ id, key, api }: { id: string; key: string; api: string }): Provider {
  const at = `${api || 'https://rest.runpod.io'}/v1/pods/${encodeURIComponent(id)}`;
  const headers = { Authorization: `Bearer ${key}` };

  async function byCommand(argv: string[]): Promise<string> {
    return runCommand({ argv: ['runpodctl', ...argv], patience: PATIENCE_MS });
  }

  async function look(): Promise<PodState> {
    try {
      return stateOf(await post(at, { method: 'GET', headers, most: MOST }));
    } catch (error) {
      log.debug('pod', 'RunPod did not report the state of the pod.', { error });
    }
    for (const argv of isInPath('runpodctl')
      ? [
          ['pod', 'get', id],
          ['get', 'pod', id],
        ]
      : []) {
      const printed = await byCommand(argv).catch((error: unknown) => {
        log.debug('pod', 'runpodctl did not report the state of the pod.', { error });
        return '';
      });
      const words = /\b(RUNNING|EXITED|TERMINATED)\b/.exec(printed)?.[1];
      if (words) return { is: words === 'RUNNING' ? 'running' : 'stopped', price: null };
    }
    return UNKNOWN;
  }

  return {
    id: 'runpod',
    name: 'RunPod',
    leaves:
      'Stopping keeps /workspace and loses everything else. The disk of a stopped pod costs about twice as much as that of a running one.',
    look,
    async stop() {
      const refused: string[] = [];
      const ways = [
        () => post(`${at}/stop`, { headers }),
        ...(isInPath('runpodctl') ? [() => byCommand(['pod', 'stop', id]), () => byCommand(['stop', 'pod', id])] : []),
      ];
      for (const way of ways) {
        const failed = await way().then(
          () => null,
          (error: Error) => error.message,
        );
        if (failed !== null) refused.push(failed);
        else if ((await look()).is !== 'running') return;
        else refused.push('The request was accepted, but the pod is still running.');
      }
      throw new PodProblem(`RunPod did not stop the pod. ${refused.at(-1)}`);
    },
  };
}

function stateOf(text: string): PodState {
  const pod = JSON.parse(text) as { desiredStatus?: unknown; costPerHr?: unknown; adjustedCostPerHr?: unknown };
  const price = Number(pod.adjustedCostPerHr ?? pod.costPerHr);
  const is = pod.desiredStatus === 'RUNNING' ? 'running' : pod.desiredStatus ? 'stopped' : 'unknown';
  return { is, price: price > 0 ? price : null };
}
