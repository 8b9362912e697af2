import { join } from 'node:path';
import { notPlain } from '../../datasets/convert.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import { checkCommandLine } from '../../trainers/checkCommandLine.js';
import type { Describe } from '../../trainers/describe.js';
import { whyNotDrawn } from '../../trainers/flagPolicy.js';
import { pathRoots } from '../../trainers/pathRoots.js';
import { resumeArgv } from '../../trainers/resumeArgv.js';
import type { Command, TrainingInput } from '../../trainers/trainer.js';
import { planRoom, type Room } from '../lineage/earlier.js';
import { nextNumber } from './enter.js';
import type { Plan } from './plan.js';

/** A plan with everything that it runs. */
export type Attempt = Plan & {
  number: number;
  /** The files that are moved away before. */
  room: Room;
  /** The place of the state folder to resume from, once files were moved; null at the beginning. */
  statePath: string | null;
  input: TrainingInput;
  command: Command;
};

/** Prepares the command of an attempt, and the room for it. Changes nothing yet. */
export async function prepareAttempt(settings: Settings, plan: Plan): Promise<Attempt> {
  const { session, state, trainer, from } = plan;
  const { folder, outputName, dialect } = session;
  const number = nextNumber({ state, folder });
  const firstEpoch = from ? (from.firstEpoch ?? 1) : null;
  const room = await planRoom(folder, number - 1, (entry) => dialect.overwrites(entry, outputName, firstEpoch));
  const statePath = from && room.placeOf(from.absolutePath);
  const input: TrainingInput = {
    settings: plan.settings,
    arguments: state.arguments,
    datasetPath: convertedFor(plan) ?? plan.detail.path,
    outputPath: folder,
    outputName,
    resume: statePath ? { statePath, firstEpoch: firstEpoch ?? 1, firstStep: plan.firstStep } : null,
    gpus: plan.gpus,
    gpusBy: plan.launcher === 'local' ? 'index' : 'cluster',
    python: trainer.python ?? settings.python,
    exactPause: settings.exactPause && state.exact_pause !== false,
  };
  const fresh = trainer.command(input);
  const first = state.attempts.findLast((each) => each.kind !== 'resume');
  // Network, optimizer and learning rate can't change on a resume: it gets the flags of the start.
  const argv = statePath && first ? resumeArgv(first.argv, fresh.argv, trainer.models ?? []) : fresh.argv;
  return { ...plan, number, room, statePath, input, command: { argv, cwd: fresh.cwd } };
}

/** The folder of pictures that are converted for a trainer of plain PNGs; null where it reads the dataset itself. */
export function convertedFor({ trainer, detail, session }: Plan): string | null {
  return trainer.plainPictures && notPlain(detail).length > 0 ? join(session.folder, '.pictures') : null;
}

/**
 * Refuses a command with flags that no trainer may get, before anything is moved or written: the flags come from a file
 * that may have been made elsewhere. Throws a Problem.
 */
export async function refuseForeign(
  { settings, describe }: { settings: Settings; describe: Describe },
  { trainer, input, command }: Attempt,
): Promise<void> {
  const roots = pathRoots(settings, trainer);
  const own = trainer.command({ ...input, arguments: {} }).argv;
  await checkCommandLine(trainer, command.argv, own, roots, () => describe(trainer));
  const wrong = whyNotDrawn(input.settings.sample_prompts, roots);
  if (wrong) throw new Problem('foreign_prompt', wrong, { field: 'sample_prompts' });
}
