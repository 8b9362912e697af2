import { isLoopback, nameOf } from '../security/hosts.js';
import type { Settings } from '../settings.js';

/**
 * The address to open in a browser: the pod's, if it is known and we listen beyond this machine; with the token in it, if we
 * made the token.
 */
export function addressOf({ host, pod }: Pick<Settings, 'host' | 'pod'>, port: number, token: string | null): string {
  const everywhere = ['0.0.0.0', '::'].includes(host);
  const name = everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  const address = (!isLoopback(nameOf(host)) && pod.address(port)) || `http://${name}:${port}/`;
  return token ? `${address}?token=${token}` : address;
}
