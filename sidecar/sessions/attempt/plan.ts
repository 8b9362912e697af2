import type { LauncherId } from '../../launchers/launcher.js';
import { Problem } from '../../problem.js';
import type { AttemptKind } from '../facts.js';
import { type Candidate, damageOf } from '../lineage/candidates.js';
import { chooseResume, whyNot } from '../lineage/resume.js';
import { changedSince } from '../preflight/pictures.js';
import { epochsAsked, type Run } from '../preflight/run.js';
import type { Session } from '../status/session.js';

export type Begin = {
  kind: AttemptKind;
  /** The state folder to resume from, by its path in the session's facts; by default the newest complete one. */
  state?: string | null;
  /** The new total number of epochs, to train further. */
  maxTrainEpochs?: number | null;
  /** GPUs in place of those in the session's settings: see claimGpus.ts. */
  gpus?: string | null;
  /** A person knows that nothing of the last attempt runs any more, where its cluster can't tell. */
  anyway?: boolean;
  /** Only if a resume goes on exactly, as its page said a moment ago. */
  exactly?: boolean;
  /** An automatic attempt, as the successor of this attempt and of no other. */
  automaticAfter?: string | null;
  /** Begun by the queue, on these GPUs: only if it still waits there. The session's wish for GPUs stays. */
  fromQueue?: { gpus: string } | null;
};

/** A run and its beginning. `settings.max_train_epochs` is the total number of epochs. */
export type Plan = Run & {
  begin: Begin;
  launcher: LauncherId;
  /** The state folder to resume from; null at the beginning. */
  from: Candidate | null;
  /** Optimizer steps before its first epoch. */
  stepOffset: number;
  /** The same as the trainer counts: as if all epochs before were as long as today's. */
  firstStep: number;
};

/**
 * Plans an attempt: from the beginning, or from the newest whole state that leaves something to train. Throws a Problem
 * when neither is possible.
 */
export async function planAttempt(run: Run, begin: Begin, launcher: LauncherId): Promise<Plan> {
  const { session, state } = run;
  const asked = begin.maxTrainEpochs ?? null;
  const epochs = asked ?? (begin.kind === 'resume' ? (state.max_train_epochs ?? 1) : epochsAsked(run));
  const settings = { ...run.settings, max_train_epochs: epochs };
  if (asked !== null && asked < (session.progress?.epoch ?? 0)) {
    const field = { field: 'max_train_epochs' };
    throw new Problem(
      'too_few_epochs',
      `It has already trained ${session.progress?.epoch} epochs. Enter a larger number.`,
      field,
    );
  }
  if (begin.kind !== 'resume') {
    if (begin.kind === 'start' && session.candidates.length + checkpointCount(session) > 0) {
      throw new Problem(
        'has_checkpoints',
        'This session already has checkpoints. Resume it, or start over: the existing files are then kept in earlier/.',
        { about: { session: session.name } },
      );
    }
    return { ...run, settings, begin, launcher, from: null, stepOffset: 0, firstStep: 0 };
  }
  if (session.facts.all_trained && !begin.state && epochs <= (state.max_train_epochs ?? 0)) {
    throw new Problem('completed', `All ${epochs} epochs are trained. To train further, enter more epochs.`, {
      field: 'max_train_epochs',
      about: { session: session.name },
    });
  }
  const from = await chooseState(session, begin, epochs);
  if (begin.exactly) requireExact(session, from);
  return {
    ...run,
    settings,
    begin,
    launcher,
    from,
    stepOffset: from.stepOffset ?? 0,
    firstStep: firstStepOf(run, from),
  };
}

/**
 * The number of steps per epoch changes with the dataset and the number of GPUs. sd-scripts gets a first step only on
 * several GPUs; there it has to be exact.
 */
function firstStepOf({ state, session, detail, gpus, epoch }: Run, from: Candidate): number {
  const before = session.latest?.gpus.length ?? 0;
  if (!changedSince(detail, state) && Math.max(1, before) === Math.max(1, gpus.length)) return from.trainersStep ?? 0;
  if (gpus.length > 1 && !epoch.exact) {
    throw new Problem(
      'steps_unknown',
      'The dataset or the number of GPUs has changed since the last attempt, so Trackside can’t tell where to continue on several GPUs. Resume on one GPU, or restore the dataset.',
      { field: 'gpus' },
    );
  }
  return ((from.firstEpoch ?? 1) - 1) * epoch.steps;
}

/** The state that was asked for, or the newest whole one that leaves something to train. Throws a Problem without one. */
export async function chooseState(session: Session, begin: Begin, epochs: number): Promise<Candidate> {
  const { state: asked, automaticAfter } = begin;
  const more = { about: { session: session.name } };
  if (asked) {
    const found = session.candidates.find((each) => each.path === asked || each.name === asked);
    if (!found) throw new Problem('no_state', `This session has no state folder ${asked}.`, more);
    const reason = whyNot(found, epochs, true) ?? (await damageOf(session.dialect.states, found));
    if (reason) throw new Problem('bad_state', `Can't resume from ${found.path}: ${reason}. Choose another.`, more);
    return found;
  }
  // A doubtful one is for a person to take.
  const candidates = session.candidates.map((each) => ({ ...each, doubtful: each.doubtful && !automaticAfter }));
  for (;;) {
    const chosen = chooseResume(candidates, epochs, null)?.candidate;
    if (!chosen) break;
    const reason = await damageOf(session.dialect.states, chosen);
    if (reason === null) return chosen;
    candidates[candidates.indexOf(chosen)] = { ...chosen, complete: false, doubtful: false, reason };
  }
  const why = candidates.map((each) => `${each.path}: ${whyNot(each, epochs, true)}`).join('; ');
  throw new Problem(
    'nothing_to_resume',
    why
      ? `Can't resume from any state folder (${why}). Enter more epochs, or start over: the existing files are kept in earlier/.`
      : 'No state folder was saved, so there is nothing to resume from. Start over: the existing files are kept in earlier/.',
    more,
  );
}

/** Something was changed since its page said so. Throws a Problem with what it was, and where a resume would begin now. */
export function requireExact(session: Session, from: Candidate): void {
  if (from.exact) return;
  const why = from.differs.length > 0 ? `: ${from.differs.join('; ')}` : '';
  const { repeatedSteps: steps } = from;
  const again = steps === 1 ? '1 step that its weights have seen' : `${steps} steps that its weights have seen`;
  const twice = steps > 0 ? `, and trains ${again} a second time` : '';
  throw new Problem(
    'not_exactly',
    `It can't go on exactly any more${why}. Nothing was started or lost. Undo that, or resume all the same: it begins at epoch ${from.firstEpoch}${twice}.`,
    { about: { session: session.name } },
  );
}

function checkpointCount(session: Session): number {
  return session.entries.filter((entry) => session.dialect.nameBehind(entry)?.is === 'checkpoint').length;
}
