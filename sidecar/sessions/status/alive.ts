const ALIVE: readonly (string | undefined)[] = ['starting', 'running', 'stopping'];

/** Does a training run, by its status? That of a record is any text. */
export function isAlive(status: string | undefined): boolean {
  return ALIVE.includes(status);
}

/** Runs it, or is about to? */
export function isAliveOrPending({ status }: { status: string }): boolean {
  return isAlive(status) || status === 'pending';
}
