import { Problem } from '../../problem.js';
import { checkCommandLine } from '../../trainers/checkCommandLine.js';
import { whyNotDrawn } from '../../trainers/flagPolicy.js';
import { pathRoots } from '../../trainers/pathRoots.js';
import type { Command, TrainingInput } from '../../trainers/trainer.js';
import { type Context, inputOf, type Plan } from './plan.js';
import { resumeArgv } from './resumeArgv.js';

/** What an attempt runs. @param statePath the state folder to resume from, where it lies by then; null to begin anew */
export function attemptCommand(
  context: Context & { plan: Plan },
  statePath: string | null,
): { input: TrainingInput; command: Command } {
  const { plan, state, trainer } = context;
  const firstEpoch = plan.from?.firstEpoch ?? 1;
  const resume = statePath ? { statePath, firstEpoch, firstStep: plan.firstStep } : null;
  const input = inputOf(context, plan.epochs, resume);
  const fresh = trainer.command(input);
  const first = state.attempts.findLast((each) => each.kind !== 'resume');
  // Network, optimizer and learning rate can't change on a resume: what was given at the start is given again.
  const argv = resume && first ? resumeArgv(first.argv, fresh.argv) : fresh.argv;
  return { input, command: { argv, cwd: fresh.cwd } };
}

/**
 * Refuses a command that holds what nobody may give a trainer, before anything is moved or written: its flags come from a
 * file that may have been made elsewhere. Throws a Problem.
 */
export async function refuseForeign(context: Context & { plan: Plan }): Promise<void> {
  const { settings, plan, trainer } = context;
  const { input, command } = attemptCommand(context, plan.from?.absolutePath ?? null);
  const roots = pathRoots(settings, command.cwd);
  const own = trainer.command({ ...input, arguments: {} }).argv;
  await checkCommandLine(trainer, command.argv, own, roots, () => context.describe(trainer));
  const wrong = whyNotDrawn(input.settings.sample_prompts, roots);
  if (wrong) throw new Problem('foreign_prompt', wrong, { field: 'sample_prompts' });
}
