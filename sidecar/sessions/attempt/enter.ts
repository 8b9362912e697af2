import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { writeWhole } from '../../files/wholeFile.js';
import { readAttempt, saneNumber } from '../../launchers/attemptFile.js';
import type { LauncherId } from '../../launchers/launcher.js';
import { LOG_FILE } from '../../telemetry/follow.js';
import { beginProgress, PROGRESS_FILE } from '../../telemetry/progress.js';
import { countsAbsolutely } from '../../trainers/exactPause.js';
import type { Candidate } from '../lineage/candidates.js';
import { updateStateFile } from '../record/stateFile.js';
import { type AttemptEntry, editAttempt, type MadeOf, newAttempt, type RawState } from '../record/uiState.js';
import type { Session } from '../status/session.js';
import { finalSignature } from '../status/settle.js';
import type { Begin } from './plan.js';

/** What an attempt runs, and where it begins. */
export type Entering = {
  number: number;
  argv: string[];
  cwd: string;
  /** The state to resume from, and its absolute path after files were moved; null from the beginning. */
  from: Candidate | null;
  statePath: string | null;
  /** Optimizer steps before it. */
  stepOffset: number;
  /** The total number of epochs; null when unknown. */
  epochs: number | null;
  gpus: readonly number[];
  launcher: LauncherId;
  made_of?: MadeOf;
};

/**
 * Enters an attempt into its session's record, and writes the progress that it begins with. `edit` changes the record
 * further, in the same write. Needs the session's lock.
 */
export async function enterAttempt(
  session: Session,
  begin: Begin,
  attempt: Entering,
  edit: (raw: RawState) => void = () => {},
): Promise<AttemptEntry> {
  const { folder } = session;
  const { number, argv, cwd, from, statePath, stepOffset, epochs, gpus, launcher, made_of } = attempt;
  const now = new Date();
  const step = from?.step ?? 0;
  const own = randomUUID();
  const entry = newAttempt({
    number,
    kind: begin.kind,
    id: own,
    // Before it is submitted: whatever becomes of this process, its job is found by its name.
    job: launcher === 'local' ? null : { launcher, attempt: own, id: '', cluster: null },
    started_at: now.toISOString(),
    argv,
    cwd,
    resumed_from: statePath,
    first_epoch: from?.firstEpoch ?? 1,
    step_offset: stepOffset,
    steps_added: countsAbsolutely(argv) ? 0 : stepOffset,
    log_start: (await stat(join(folder, LOG_FILE)).catch(ifUnreadable(null, 'sessions')))?.size ?? 0,
    final_before: finalSignature(folder, session.dialect, session.outputName),
    output: folder,
    output_inode: (await stat(folder)).ino,
    automatic: Boolean(begin.automaticAfter),
    gpus: [...gpus],
    begun_step: step,
    repeated_steps: from?.repeatedSteps ?? 0,
    ...(made_of ? { made_of } : {}),
  });
  const epoch = from?.epoch ?? 0;
  const intoEpoch = from?.intoEpoch ?? 0;
  const { id } = entry;
  const progress = beginProgress({ id, step, stepOffset, epoch, intoEpoch, epochs, before: session.progress, now });
  await updateStateFile(folder, (raw) => {
    // The end of the previous attempt may be known by now, and not written yet.
    if (session.settledNow && session.latest) editAttempt(raw, session.latest.id, session.latest);
    raw.attempts = [...((raw.attempts as unknown[] | undefined) ?? []), entry];
    raw.status = launcher === 'local' ? 'starting' : 'pending';
    for (const stale of ['error', 'completed_at', 'status_found']) delete raw[stale];
    if (begin.kind !== 'resume' || raw.timestamp === undefined) raw.timestamp = now.getTime() / 1000;
    edit(raw);
  });
  await writeWhole(join(folder, PROGRESS_FILE), `${JSON.stringify(progress, null, 1)}\n`);
  return entry;
}

/**
 * The number of the next attempt: above all in the record and in the runner's own, for a runner refuses a number that is
 * not new, whatever became of the record.
 */
export function nextNumber({ state, folder }: Pick<Session, 'state' | 'folder'>): number {
  const used = [...(state?.attempts ?? []), readAttempt(folder) ?? { number: 0 }];
  return Math.max(0, ...used.map(({ number }) => saneNumber(number))) + 1;
}
