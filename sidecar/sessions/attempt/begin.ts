import { join } from 'node:path';
import { Problem } from '../../problem.js';
import { findTrainer } from '../../trainers/catalogue.js';
import { runsByHand } from '../byHand/runs.js';
import { type Claim, claimGpus, wantsGpu } from '../claimGpus.js';
import type { Outputs } from '../outputs/outputs.js';
import { readPictures } from '../preflight/pictures.js';
import { findingsFor, refuseErrors } from '../preflight/preflight.js';
import { withSessionLock } from '../record/lock.js';
import type { Session } from '../status/session.js';
import { launchAttempt } from './launch.js';
import { type Begin, type Context, planAttempt } from './plan.js';

/** What a start needs of the rest of the program. */
export type Beginning = Pick<Context, 'settings' | 'secrets' | 'describe'> & { outputs: Outputs };

/**
 * Starts an attempt of a session: a first start, a resume from a state folder, or a relaunch from the beginning. What
 * the trainer would overwrite is moved to `earlier/` first. Resolves when the trainer process runs (or when it is
 * known that it can't); the attempt's end is found out later. Throws a Problem where one is alive already (with
 * its address), or where something is missing, in words. Whatever is thrown, nothing was lost.
 */
export async function beginAttempt(deps: Beginning, name: string, begin: Begin): Promise<Session> {
  const path = join(deps.outputs.root, name);
  // A hundred clicks are answered at once, not one after the other.
  if (beginning.has(path)) throw alreadyRunning(name, 'It is being started at this moment.');
  beginning.add(path);
  try {
    return await beginAlone(deps, name, begin);
  } finally {
    beginning.delete(path);
  }
}

const beginning = new Set<string>();

async function beginAlone(deps: Beginning, name: string, begin: Begin): Promise<Session> {
  const { outputs, settings, secrets, describe } = deps;
  // Somebody may have started one in a terminal this very moment.
  runsByHand(true);
  const before = await outputs.read(name);
  refuseIfAlive(before);
  let claim: Claim | undefined;
  await withSessionLock(before.folder, async () => {
    const session = await outputs.read(name);
    refuseIfAlive(session);
    if (begin.automaticAfter) refuseUnlessDue(session, begin.automaticAfter);
    const { state } = session;
    if (!state) throw notOurs(session);
    const trainer = findTrainer(settings, state.trainer ?? 'practice');
    const detail = await readPictures(settings, session, state);
    if (wantsGpu(trainer, state.vram)) claim = await claimGpus(outputs, name, begin.gpus ?? state.gpus ?? '');
    const context = { settings, secrets, describe, session, state, trainer, detail, begin, gpus: claim?.gpus ?? [] };
    const plan = await planAttempt(context);
    refuseErrors(name, await findingsFor(settings, { ...context, epochs: plan.epochs }));
    const launched = await launchAttempt({ ...context, plan });
    if (launched !== 'started') throw alreadyRunning(session.name, launched.heldBy);
  })
    .finally(() => outputs.refresh(name))
    .finally(() => claim?.release());
  return outputs.read(name);
}

function refuseIfAlive(session: Session): void {
  const { liveness, facts, byHand } = session;
  if (liveness.alive === 'here') throw alreadyRunning(session.name, `It runs as process ${liveness.pid}.`);
  if (liveness.alive === 'elsewhere') throw alreadyRunning(session.name, facts.reason ?? 'It runs elsewhere.');
  if (byHand) throw alreadyRunning(session.name, `Process ${byHand.pid}, started by hand, writes into its folder.`);
}

/** Between the decision and the lock another Trackside, or a person, may have done something. */
function refuseUnlessDue(session: Session, attempt: string): void {
  if (session.latest?.id === attempt && session.facts.auto_resume.will) return;
  throw new Problem('not_due', `${session.name} is not to be resumed by itself any more.`, {
    about: { session: session.name },
  });
}

function alreadyRunning(name: string, detail: string): Problem {
  return new Problem('already_running', `${name} is training already. ${detail}`, {
    about: { session: name },
  });
}

function notOurs(session: Session): Problem {
  const message =
    session.file.kind === 'unreadable'
      ? (session.facts.reason ?? 'Its ui_state.json cannot be read.')
      : 'This folder holds no ui_state.json, so its settings are not known. Make a new training with settings of your own.';
  return new Problem('no_settings', message, { about: { session: session.name } });
}
