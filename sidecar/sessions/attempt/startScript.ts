import { join } from 'node:path';
import { writeWhole } from '../../files/wholeFile.js';
import type { LauncherId } from '../../launchers/launcher.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import { pathRoots } from '../../trainers/pathRoots.js';
import { scriptEnvironment } from '../../trainers/script/trainer.js';
import { readValues } from '../../trainers/script/values.js';
import type { Trainer } from '../../trainers/trainer.js';
import type { Session } from '../status/session.js';
import { enterAttempt } from './enter.js';
import { readEnvironment } from './environment.js';
import type { Launchable } from './launch.js';
import { type Begin, chooseState } from './plan.js';
import { enteringOf, makeRoom, recordScript, variablesOfTrack } from './startAgain.js';

/**
 * Prepares an attempt of a script of the user: its values, read by its own parser as it is today, become the command. With
 * `track` in it a resume begins at a state. Files that it would overwrite are moved to `earlier/`, and the attempt is
 * recorded. Throws a Problem before anything is changed, for values that the script refuses. Needs the session's lock.
 */
export async function prepareScript(
  settings: Settings,
  session: Session,
  trainer: Trainer,
  begin: Begin,
  launcher: LauncherId,
): Promise<Launchable> {
  const { own } = trainer;
  const { state, folder } = session;
  if (!own || !state)
    throw new Problem('no_settings', 'Its settings are unknown.', { about: { session: session.name } });
  const from = begin.kind === 'resume' ? await chooseState(session, begin, Number.POSITIVE_INFINITY) : null;
  const description = await own.describe();
  const values = readValues(description, state.arguments, pathRoots(settings, trainer), true);
  await own.check(description, values);
  const command = own.command(description, values, folder);
  const room = await makeRoom(session, from, launcher);
  const variables = { ...scriptEnvironment(description), ...variablesOfTrack(settings, room.statePath) };
  for (const file of own.files(command, variables))
    await writeWhole(join(folder, file.name), file.content, file.executable ? 0o755 : 0o644);
  const environment = await readEnvironment(command.argv[0] ?? settings.python);
  const entry = await enterAttempt(session, begin, enteringOf(session, command, from, room, launcher), (raw) => {
    raw.trainer = trainer.id;
    raw.environment = { ...(raw.environment as object | undefined), ...environment };
  });
  const made = { session, begin, command, entry, variables, moves: room.moves };
  await recordScript(settings, made, trainer.id);
  return made;
}
