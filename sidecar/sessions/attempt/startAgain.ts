import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { contract } from '../../bridge.js';
import { ifUnreadable } from '../../caught.js';
import { writeWhole } from '../../files/wholeFile.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import { LOG_FILE } from '../../telemetry/follow.js';
import { beginProgress, PROGRESS_FILE } from '../../telemetry/progress.js';
import { type LaunchRecord, readLaunch } from '../../trainers/tracked/launchRecord.js';
import type { Candidate } from '../lineage/candidates.js';
import { planRoom } from '../lineage/earlier.js';
import { updateStateFile } from '../record/stateFile.js';
import { editAttempt, newAttempt } from '../record/uiState.js';
import type { Session } from '../status/session.js';
import { finalSignature } from '../status/settle.js';
import type { Launchable } from './launch.js';
import { type Begin, chooseState } from './plan.js';

/**
 * Prepares another attempt of a training that began outside of Trackside, with `import trackside`: the command that
 * started it, as it was started, and the state to go on from. Files that it would overwrite are moved to `earlier/`, and
 * the attempt is recorded. Throws a Problem where it can't be started again, as in a notebook, with the line to run there.
 * Needs the session's lock.
 */
export async function prepareAgain(settings: Settings, session: Session, begin: Begin): Promise<Launchable> {
  const launch = await requireLaunch(session);
  const from = begin.kind === 'resume' ? await chooseState(session, begin, Number.POSITIVE_INFINITY) : null;
  const { folder, outputName, dialect } = session;
  const number = Math.max(0, ...(session.state?.attempts ?? []).map((each) => each.number)) + 1;
  const room = await planRoom(folder, number - 1, (entry) => dialect.overwrites(entry, outputName, from ? 1 : null));
  await room.make();
  const entry = await record(session, begin, launch, from, number);
  const variables = {
    ...launch.environment,
    TRACKSIDE_OUTPUTS: settings.outputs,
    ...(from ? { [contract.resume]: from.absolutePath } : {}),
  };
  return { session, begin, command: { argv: launch.argv, cwd: launch.cwd }, entry, variables };
}

async function requireLaunch(session: Session): Promise<LaunchRecord> {
  const about = { about: { session: session.name } };
  const launch = await readLaunch(session.folder);
  if (!launch) {
    const message = `How this training was started is not recorded (its ${contract.files.launch} is missing, or another user's), so Trackside can't start it again. Run its command where you ran it before: it goes on by itself.`;
    throw new Problem('cannot_restart', message, about);
  }
  if (launch.why_not === null) return launch;
  const message = `Trackside can't start it again, because ${launch.why_not}. Run this where it ran before, and it goes on from its newest state: ${launch.line}`;
  throw new Problem('cannot_restart', message, about);
}

/** Records an attempt that needs no pictures and no epochs, in the session's files. */
export async function record(
  session: Session,
  begin: Begin,
  launch: Pick<LaunchRecord, 'argv' | 'cwd'>,
  from: Candidate | null,
  number: number,
): Promise<Launchable['entry']> {
  const { folder } = session;
  const now = new Date();
  const step = from?.step ?? 0;
  const entry = newAttempt({
    number,
    kind: begin.kind,
    id: randomUUID(),
    started_at: now.toISOString(),
    argv: launch.argv,
    cwd: launch.cwd,
    resumed_from: from?.absolutePath ?? null,
    step_offset: step,
    log_start: (await stat(join(folder, LOG_FILE)).catch(ifUnreadable(null, 'sessions')))?.size ?? 0,
    final_before: finalSignature(folder, session.dialect, session.outputName),
    automatic: Boolean(begin.automaticAfter),
    begun_step: step,
  });
  const epochs = session.progress?.epochs ?? null;
  const progress = beginProgress({
    id: entry.id,
    step,
    stepOffset: step,
    epoch: from?.epoch ?? 0,
    epochs,
    before: session.progress,
    now,
  });
  await updateStateFile(folder, (raw) => {
    // The end of the previous attempt may be known by now, and not written yet.
    if (session.settledNow && session.latest) editAttempt(raw, session.latest.id, session.latest);
    raw.attempts = [...((raw.attempts as unknown[] | undefined) ?? []), entry];
    raw.status = 'starting';
    for (const stale of ['error', 'completed_at', 'status_found']) delete raw[stale];
    if (begin.kind !== 'resume' || raw.timestamp === undefined) raw.timestamp = now.getTime() / 1000;
  });
  await writeWhole(join(folder, PROGRESS_FILE), `${JSON.stringify(progress, null, 1)}\n`);
  return entry;
}
