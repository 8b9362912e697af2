import { basename } from 'node:path';

/**
 * What a state folder is called among others: its name, or its path in the session's folder where another one has the same
 * name, as those in earlier/ may have. All paths are relative to the session's folder.
 */
export function stateName(path: string, among: readonly string[]): string {
  const isShared = among.some((other) => other !== path && basename(other) === basename(path));
  return isShared ? path : basename(path);
}

/** Of an absolute path, wherever the session's folder lay then. */
export function pathInSession(absolute: string): string {
  return /(?:^|\/)(earlier\/[^/]+\/[^/]+)$/.exec(absolute)?.[1] ?? basename(absolute);
}
