import { isIP } from 'node:net';

/** `Pod.Example.org:7860` → `pod.example.org`, `[::1]:80` and `::1` → `::1` */
export function nameOf(host: string | undefined): string {
  const given = (host ?? '').toLowerCase();
  const name = isIP(given) === 6 ? given : given.replace(/:\d+$/, '');
  return /^\[(.*)\]$/.exec(name)?.[1] ?? name;
}

export function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/**
 * Returns a test for the host names that we answer to. A stranger's name may lead to us today and to them tomorrow
 * (rebinding); a numeric address can't, so it counts as ours if a login is required.
 *
 * @param allowed host names, `*.example.org` for all below one; a scheme or a port is ignored
 * @param numbers answers to every numeric address
 */
export function ownNames(allowed: readonly string[], numbers: boolean): (name: string) => boolean {
  const tests = allowed.map((given) => {
    const wanted = nameOf(given.replace(/^https?:\/\//, '').split('/')[0] ?? '');
    const tail = wanted.startsWith('*.') ? wanted.slice(1) : null;
    return (name: string) => (tail ? name.endsWith(tail) && name.length > tail.length : name === wanted);
  });
  return (name) => isLoopback(name) || (numbers && isIP(name) !== 0) || tests.some((test) => test(name));
}
