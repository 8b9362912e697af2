/** What one check found. `unknown`: it could not be told here. */
export type Check = {
  name: string;
  status: 'ok' | 'warning' | 'error' | 'unknown';
  /** What was found, in words. */
  found: string;
  /** What to do; null where nothing is wrong. */
  todo: string | null;
};

export function ok(name: string, found: string): Check {
  return { name, status: 'ok', found, todo: null };
}

export function warning(name: string, found: string, todo: string): Check {
  return { name, status: 'warning', found, todo };
}

export function error(name: string, found: string, todo: string): Check {
  return { name, status: 'error', found, todo };
}

export function unknown(name: string, found: string): Check {
  return { name, status: 'unknown', found, todo: null };
}
