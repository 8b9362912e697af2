import type { AttemptEntry } from '../record/uiState.js';

/**
 * The attempt that wrote a step or final file: the newest one, because each attempt moves those of the one before to
 * `earlier/attempt-<number>/` (earlier.ts). `path` is relative to the output folder. Not by time: clocks jump.
 */
export function writerByPlace(attempts: readonly AttemptEntry[], path: string): AttemptEntry | null {
  const moved = movedAway(path);
  if (moved === null) return attempts.at(-1) ?? null;
  return attempts.findLast((each) => each.number === moved) ?? null;
}

/**
 * The attempt that wrote a state. An epoch's state stays in its place while later attempts begin after it, so it is the
 * newest attempt that began no later than this epoch.
 */
export function writerOfState(
  attempts: readonly AttemptEntry[],
  path: string,
  { kind, currentEpoch }: { kind: 'epoch' | 'step' | 'final'; currentEpoch: number | null },
): AttemptEntry | null {
  const last = writerByPlace(attempts, path);
  if (kind !== 'epoch' || currentEpoch === null || !last) return last;
  const until = attempts.slice(0, attempts.indexOf(last) + 1);
  return until.findLast(({ first_epoch }) => first_epoch <= currentEpoch) ?? null;
}

/** The number of the attempt whose files were moved to `path` (relative to the output folder), or null. */
export function movedAway(path: string): number | null {
  const found = /^earlier\/attempt-(\d+)(?:-\d+)?\//.exec(path);
  return found ? Number(found[1]) : null;
}

/**
 * The attempt that wrote a file that no attempt moves (a sample picture), by the file's time. Clocks may be set, so an
 * attempt whose time includes the file's comes before one that only began earlier; and an attempt during which the
 * clock was set back, before one that had ended by then.
 */
export function writerByTime<Attempt extends Pick<AttemptEntry, 'started_at' | 'ended_at'>>(
  attempts: readonly Attempt[],
  savedAtMs: number,
): Attempt | null {
  const within = attempts.findLast(({ started_at, ended_at }) => {
    return Date.parse(started_at) <= savedAtMs && ended_at !== null && savedAtMs <= Date.parse(ended_at);
  });
  if (within) return within;
  const open = attempts.filter(({ started_at, ended_at }) => ended_at === null || ended_at < started_at);
  const begun = (among: readonly Attempt[]) => among.findLast(({ started_at }) => Date.parse(started_at) <= savedAtMs);
  return begun(open) ?? begun(attempts) ?? null;
}

/**
 * What counts as the writer of a run that no attempt wrote: the first one. If it was started by hand, and goes on where an
 * earlier one ended, it replaces nothing before its own first step.
 */
export function unknownWriter(firstStep: number) {
  return { number: 1, first_epoch: 1, step_offset: Math.max(0, firstStep - 1), steps_added: 0 };
}

/** State folders that the present lineage was resumed from, without branches left by a return to an earlier step. */
export function lineageSources(attempts: readonly AttemptEntry[]): string[] {
  const fresh = attempts.findLastIndex((attempt) => attempt.kind !== 'resume');
  const lineage = attempts.slice(Math.max(0, fresh));
  const sources = lineage.flatMap(({ resumed_from, step_offset }, index) => {
    const abandoned = lineage.slice(index + 1).some((later) => later.step_offset < step_offset);
    return resumed_from && !abandoned ? [resumed_from] : [];
  });
  return [...new Set(sources)];
}
