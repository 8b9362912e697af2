import { contract } from '../../bridge.js';
import { logged } from '../../caught.js';
import type { LauncherId } from '../../launchers/launcher.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import { type LaunchRecord, readLaunch } from '../../trainers/tracked/launchRecord.js';
import { TRACKED } from '../../trainers/tracked/trainer.js';
import type { Candidate } from '../lineage/candidates.js';
import { planRoom } from '../lineage/earlier.js';
import { recordProvenance } from '../provenance/record.js';
import { interpreterOf, scriptIngredients } from '../provenance/script.js';
import type { Session } from '../status/session.js';
import { type Entering, enterAttempt, nextNumber } from './enter.js';
import { readEnvironment } from './environment.js';
import type { Launchable } from './launch.js';
import { type Begin, chooseState } from './plan.js';

/**
 * Prepares another attempt of a training that began outside of Trackside, with `import trackside`: the command that
 * started it, as it was started, and the state to go on from. Files that it would overwrite are moved to `earlier/`, and
 * the attempt is recorded. Throws a Problem where it can't be started again, as in a notebook, with the line to run there.
 * Needs the session's lock.
 */
export async function prepareAgain(
  settings: Settings,
  session: Session,
  begin: Begin,
  launcher: LauncherId,
): Promise<Launchable> {
  const launch = await requireLaunch(session);
  const from = begin.kind === 'resume' ? await chooseState(session, begin, Number.POSITIVE_INFINITY) : null;
  const room = await makeRoom(session, from, launcher);
  const entry = await enterAttempt(session, begin, enteringOf(session, launch, from, room, launcher));
  const variables = { ...launch.environment, ...variablesOfTrack(settings, room.statePath) };
  const command = { argv: launch.argv, cwd: launch.cwd };
  const made = { session, begin, command, entry, variables, moves: room.moves };
  await recordScript(settings, made, TRACKED);
  return made;
}

/** Records what an attempt of a script is made from, before it starts. */
export async function recordScript(settings: Settings, attempt: Omit<Launchable, 'moves'>, id: string): Promise<void> {
  const { session, begin, command, entry, variables } = attempt;
  const python = interpreterOf(command.argv, settings.python);
  const environment = await readEnvironment(python);
  // Its surroundings hold more than it needs, which may be secret; the names that Trackside gives say enough.
  const about = { id, trackside: settings.version, variables: ownOf(variables), environment, python };
  const of = scriptIngredients(about, command, session.state);
  await recordProvenance(session.folder, { number: entry.number, kind: begin.kind, id: entry.id }, of).catch(
    logged('sessions', 'What the attempt is made from could not be recorded.', session.name),
  );
}

function ownOf(variables: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).filter(([name]) => /^(?:TRACKSIDE_|PYTHONPATH$|CUDA_)/.test(name)),
  );
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

/**
 * Moves what the next attempt would overwrite to `earlier/`. Returns its number, and where its state is then. A job's runner
 * moves it when it starts: `moves`.
 */
export async function makeRoom(session: Session, from: Candidate | null, launcher: LauncherId) {
  const { folder, outputName, dialect } = session;
  const number = nextNumber(session);
  const firstEpoch = from && (from.firstEpoch ?? 1);
  const room = await planRoom(folder, number - 1, (entry) => dialect.overwrites(entry, outputName, firstEpoch));
  if (launcher === 'local') await room.make();
  const moves = launcher === 'local' ? [] : room.moves;
  return { number, statePath: from && room.placeOf(from.absolutePath), moves };
}

/** What tells `track` where its session is, and which state to go on from. */
export function variablesOfTrack(settings: Settings, statePath: string | null): Record<string, string> {
  return { TRACKSIDE_OUTPUTS: settings.outputs, ...(statePath ? { [contract.resume]: statePath } : {}) };
}

/** What an attempt is that has no pictures, no GPUs of its own, and no epochs to ask for. */
export function enteringOf(
  session: Session,
  { argv, cwd }: Pick<LaunchRecord, 'argv' | 'cwd'>,
  from: Candidate | null,
  room: { number: number; statePath: string | null },
  launcher: LauncherId,
): Entering {
  const epochs = session.progress?.epochs ?? null;
  const { number, statePath } = room;
  return { number, statePath, argv, cwd, from, stepOffset: from?.step ?? 0, epochs, gpus: [], launcher };
}
