import { log } from '../log.js';
import { post } from '../notices/post.js';
import { PodProblem, type Provider, UNKNOWN } from './provider.js';

const MOST = 200_000;

/** Vast, by its REST interface with the key of the container (docs.vast.ai/api, manage instance). */
export function vast({ id, key, api }: { id: string; key: string; api: string }): Provider {
  const at = `${api || 'https://console.vast.ai'}/api/v0/instances/${encodeURIComponent(id)}/`;
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  return {
    id: 'vast',
    name: 'Vast',
    leaves:
      'Stopping keeps the disk, which costs money until the instance is destroyed. It may not be possible to start it again.',
    async look() {
      try {
        const { instances } = JSON.parse(await post(at, { method: 'GET', headers, most: MOST })) as {
          instances?: Instance;
        };
        const { actual_status, intended_status, cur_state, dph_total } = instances ?? {};
        const told = [actual_status, intended_status, cur_state];
        const is = told.some((each) => each === 'stopped' || each === 'exited')
          ? 'stopped'
          : told.includes('running')
            ? 'running'
            : 'unknown';
        return { is, price: Number(dph_total) > 0 ? Number(dph_total) : null };
      } catch (error) {
        log.debug('pod', 'Vast did not report the state of the instance.', { error });
        return UNKNOWN;
      }
    },
    async stop() {
      const said = await post(at, { method: 'PUT', headers, body: JSON.stringify({ state: 'stopped' }) });
      if (!/"success":\s*true/.test(said))
        throw new PodProblem('Vast did not accept the request to stop the instance.');
    },
  };
}

type Instance = { actual_status?: unknown; intended_status?: unknown; cur_state?: unknown; dph_total?: unknown };
