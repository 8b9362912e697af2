import { log } from '../log.js';
import { post } from '../notices/post.js';
import { type Provider, UNKNOWN } from './provider.js';

const MOST = 200_000;

/** Lambda, by its REST interface (docs.lambda.ai/public-cloud/cloud-api). It knows no stop: only the end of everything. */
export function lambda({ id, key, api }: { id: string; key: string; api: string }): Provider {
  const at = `${api || 'https://cloud.lambda.ai'}/api/v1`;
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  return {
    id: 'lambda',
    name: 'Lambda',
    leaves: 'Lambda can only terminate: everything is destroyed except a persistent filesystem.',
    async look() {
      try {
        const answer = await post(`${at}/instances/${encodeURIComponent(id)}`, { method: 'GET', headers, most: MOST });
        const { data } = JSON.parse(answer) as {
          data?: { status?: string; instance_type?: { price_cents_per_hour?: unknown } };
        };
        const cents = Number(data?.instance_type?.price_cents_per_hour);
        const is = data?.status?.startsWith('terminat') ? 'stopped' : data?.status ? 'running' : 'unknown';
        return { is, price: cents > 0 ? cents / 100 : null };
      } catch (error) {
        log.debug('pod', 'Lambda did not report the state of the instance.', { error });
        return UNKNOWN;
      }
    },
    async stop() {
      await post(`${at}/instance-operations/terminate`, { headers, body: JSON.stringify({ instance_ids: [id] }) });
    },
  };
}
