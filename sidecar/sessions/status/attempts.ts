import type { AttemptRecord } from '../../launchers/attemptFile.js';
import type { Liveness } from '../../launchers/liveness.js';
import { beginProgress, type StoredProgress } from '../../telemetry/progress.js';
import type { Beginning } from '../../trainers/console.js';
import type { AttemptFacts } from '../facts.js';
import type { AttemptEntry } from '../record/uiState.js';
import { newAttempt, stepsAdded, type UiState } from '../record/uiState.js';

/** The newest attempt, from the file; or from the runner's record, if the file was lost or put back. */
export function latestEntry(state: UiState | null, record: AttemptRecord | null): AttemptEntry | null {
  const last = state?.attempts.at(-1) ?? null;
  if (!record || state?.attempts.some((attempt) => attempt.id === record.id)) return last;
  if (last && last.number >= record.number) return last;
  const { number, kind, id, started_at, argv, cwd, log_start, output, output_inode, cluster } = record;
  const job = record.job === null ? null : { launcher: 'slurm' as const, attempt: id, id: record.job, cluster };
  return newAttempt({ number, kind, id, started_at, argv, cwd, log_start, output, output_inode, job });
}

/** All attempts, with the newest as it is known now: perhaps settled in memory only, or lost by the file. */
export function withLatest(attempts: readonly AttemptEntry[], latest: AttemptEntry | null): AttemptEntry[] {
  const before = attempts.filter((each) => each.id !== latest?.id);
  return latest ? [...before, latest] : before;
}

/** The public facts of an attempt. */
export function attemptFacts(each: AttemptEntry, latest: AttemptEntry | null, alive: Liveness): AttemptFacts {
  const entry = latest?.id === each.id ? latest : each;
  const isAlive = alive.alive !== 'no' && latest?.id === each.id;
  const { number, kind, started_at, ended_at, resumed_from, first_epoch, step_offset, repeated_steps } = entry;
  const { exit_code, signal, reason, reason_code, argv, log_start, log_end, automatic, gpus, job, peak_gpu_memory } =
    entry;
  const isFar = alive.alive === 'elsewhere' || alive.alive === 'job';
  const host = isAlive && isFar ? alive.hostname : null;
  const pid = isAlive && alive.alive === 'here' ? alive.pid : null;
  return {
    number,
    id: entry.id,
    kind,
    started_at,
    ended_at,
    launcher: job?.launcher ?? 'local',
    job: job?.launcher === 'slurm' ? { id: job.id, cluster: job.cluster, end: entry.job_end } : null,
    pid,
    alive: isAlive,
    resumed_from,
    first_epoch,
    step_offset,
    steps_added: stepsAdded(entry),
    repeated_steps,
    exit_code,
    signal,
    reason: entry.outcome === 'completed' ? 'Completed.' : reason,
    reason_code,
    argv,
    log_start,
    log_end,
    automatic,
    gpus,
    peak_gpu_memory,
    host,
  };
}

/** "start", "resume", "auto-resume" or "start over": the kind of an attempt as people read it. */
export function attemptWord({ automatic, kind }: Pick<AttemptFacts, 'automatic' | 'kind'>): string {
  if (automatic) return 'auto-resume';
  return kind === 'relaunch' ? 'start over' : kind;
}

/** The stored progress, if it is this attempt's; else its first progress. */
export function attemptProgress(
  { id, step_offset, first_epoch }: AttemptEntry,
  stored: StoredProgress | null,
  epochs: number | null,
): StoredProgress {
  if (stored?.attempt === id) return stored;
  return beginProgress({
    id,
    step: step_offset,
    stepOffset: step_offset,
    epoch: first_epoch - 1,
    epochs,
    before: stored,
    now: new Date(),
  });
}

/** The step and epoch that an attempt counts from. */
export function beginningOf(entry: AttemptEntry): Beginning {
  return { stepOffset: entry.step_offset, firstEpoch: entry.first_epoch, stepsAdded: stepsAdded(entry) };
}
