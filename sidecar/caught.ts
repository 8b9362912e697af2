import { log } from './log.js';

/** `no_answer` was logged where it was waited for (files/inTime.ts). */
const MISSING = ['ENOENT', 'ENOTDIR', 'ESRCH', 'no_answer', 'no_session', 'no_dataset', 'no_picture', 'no_upload'];

/** Is it the error, or the Problem, of a missing thing? */
export function isMissing(error: unknown): boolean {
  return MISSING.includes(String((error as NodeJS.ErrnoException | null)?.code));
}

/**
 * For a `.catch`: returns `other` for a missing thing; throws every other error on.
 *
 * @example const stats = await stat(path).catch(ifMissing(null));
 */
export function ifMissing<T>(other: T): (error: unknown) => T {
  return (error) => {
    if (isMissing(error)) return other;
    throw error;
  };
}

/** For a `.catch` of a read that must not stop the others: logs an error, and returns `other` for it too. */
export function ifUnreadable<T>(other: T, room: string): (error: unknown) => T {
  return (error) => {
    if (!isMissing(error)) log.warn(room, 'Something could not be read, and counts as missing.', { error });
    return other;
  };
}

/** The result of a synchronous read; `other` on an error, as in `ifUnreadable`. */
export function readOr<T>(other: T, room: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    return ifUnreadable(other, room)(error);
  }
}

/** For a `.catch` of background work: logs the error. */
export function logged(room: string, msg: string, session?: string): (error: unknown) => void {
  return (error) => log.warn(room, msg, { ...(session === undefined ? {} : { session }), error });
}

/** Resolves when the work has ended in any way; its owner handles the error. */
export function ended(work: Promise<unknown> | undefined): Promise<void> {
  return Promise.resolve(work).then(nothing, nothing);
}

function nothing(): void {}

/** The result of the work, or of `late` once it has taken this long. Rejects as the work does. */
export async function within<T>(ms: number, work: Promise<T>, late: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late()), ms);
  });
  return Promise.race([work, patience]).finally(() => clearTimeout(timer));
}

export type RepeatedWork = {
  runs: number;
  last_run: string | null;
  last_error: string | null;
  last_error_at: string | null;
};
const works = new Map<string, RepeatedWork>();

/**
 * Wraps repeated work: `/diagnostics` shows its last run and its last error. A call during a run shares that run. The result
 * never rejects.
 */
export function repeated(name: string, work: () => unknown): () => Promise<void> {
  const told = works.get(name) ?? { runs: 0, last_run: null, last_error: null, last_error_at: null };
  works.set(name, told);
  let running: Promise<void> | null = null;
  return () => {
    running ??= unlessGivenUp(run()).finally(() => {
      running = null;
    });
    return running;
  };

  async function run(): Promise<void> {
    told.runs += 1;
    told.last_run = new Date().toISOString();
    try {
      await work();
    } catch (error) {
      told.last_error = String((error as Error)?.message ?? error);
      told.last_error_at = told.last_run;
      log.warn(name, 'Repeated work failed; the next run tries again.', { error });
    }
  }
}

/** Repeated work, every so many milliseconds from `open` to `close`; `now` does it at once. */
export function repeatedly(name: string, ms: number, work: () => unknown) {
  const now = repeated(name, work);
  let timer: NodeJS.Timeout | undefined;
  return {
    now,
    open(): void {
      timer = setInterval(now, ms).unref();
    },
    close(): void {
      clearInterval(timer);
    },
  };
}

/** Ends with the work, or when it was given up: an error thrown in a callback may have left it without an end. */
export function unlessGivenUp(work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    waits.add(resolve);
    work.then(resolve, reject).finally(() => waits.delete(resolve));
  });
}

const waits = new Set<() => void>();

/** Gives up what is under way, so that it begins anew. To be called after an error that nothing caught. */
export function beginAnew(): void {
  for (const done of [...waits]) done();
}

export function repeatedWork(): Record<string, RepeatedWork> {
  return Object.fromEntries(works);
}
