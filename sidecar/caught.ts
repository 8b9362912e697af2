import { log } from './log.js';

const MISSING = ['ENOENT', 'ENOTDIR', 'ESRCH', 'no_session', 'no_dataset', 'no_picture', 'no_upload'];

/** Is it the error, or the Problem, of what is not there? */
export function isMissing(error: unknown): boolean {
  return MISSING.includes(String((error as NodeJS.ErrnoException | null)?.code));
}

/**
 * For a `.catch`: what is not there gives `other`; any other error is thrown on.
 *
 * @example const stats = await stat(path).catch(ifMissing(null));
 */
export function ifMissing<T>(other: T): (error: unknown) => T {
  return (error) => {
    if (isMissing(error)) return other;
    throw error;
  };
}

/** For a `.catch` of a reading that must not hinder the others: `other` too where it can't be read, which the log tells. */
export function ifUnreadable<T>(other: T, room: string): (error: unknown) => T {
  return (error) => {
    if (!isMissing(error)) log.warn(room, 'Something could not be read, and counts as not there.', { error });
    return other;
  };
}

/** For a `.catch` of work in the background, whose error nobody waits for. */
export function logged(room: string, msg: string, session?: string): (error: unknown) => void {
  return (error) => log.warn(room, msg, { ...(session === undefined ? {} : { session }), error });
}

/** Resolves when that has ended, however: its error is told to whoever asked for it. */
export function ended(work: Promise<unknown> | undefined): Promise<void> {
  return Promise.resolve(work).then(nothing, nothing);
}

function nothing(): void {}

export type RepeatedWork = {
  runs: number;
  last_run: string | null;
  last_error: string | null;
  last_error_at: string | null;
};
const works = new Map<string, RepeatedWork>();

/** Work that comes again and again: `/diagnostics` tells its last run and its last error. What it returns never rejects. */
export function repeated(name: string, work: () => unknown): () => Promise<void> {
  const told = works.get(name) ?? { runs: 0, last_run: null, last_error: null, last_error_at: null };
  works.set(name, told);
  return async () => {
    told.runs += 1;
    told.last_run = new Date().toISOString();
    try {
      await work();
    } catch (error) {
      told.last_error = String((error as Error)?.message ?? error);
      told.last_error_at = told.last_run;
      log.warn(name, 'Work that comes again and again failed; it is tried again.', { error });
    }
  };
}

export function repeatedWork(): Record<string, RepeatedWork> {
  return Object.fromEntries(works);
}
