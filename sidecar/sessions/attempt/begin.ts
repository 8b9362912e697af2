import { logged } from '../../caught.js';
import { convertDataset } from '../../datasets/convert.js';
import { BEFORE_A_START } from '../../datasets/read.js';
import { hasCluster } from '../../launchers/slurm/presence.js';
import { log } from '../../log.js';
import type { FileHashes } from '../../models/fileHash.js';
import { Problem } from '../../problem.js';
import type { Secrets } from '../../security/secrets.js';
import type { Settings } from '../../settings.js';
import { findTrainer } from '../../trainers/catalogue.js';
import type { Describe } from '../../trainers/describe.js';
import { TRACKED } from '../../trainers/tracked/trainer.js';
import { lookForRuns, waitingWords, wordsOfRun } from '../byHand/runs.js';
import { type Claim, claimGpus, wantsGpu } from '../claimGpus.js';
import type { SessionFacts } from '../facts.js';
import type { Outputs } from '../outputs/outputs.js';
import { readPictures } from '../preflight/pictures.js';
import { findingsFor, refuseErrors } from '../preflight/preflight.js';
import { type Found, readRun } from '../preflight/run.js';
import { completeProvenance } from '../provenance/record.js';
import { interpreterOf } from '../provenance/script.js';
import { withSessionLock } from '../record/lock.js';
import { gpusOnNode, launcherFor } from '../record/wants.js';
import { isWaiting } from '../status/queued.js';
import type { Session } from '../status/session.js';
import type { UnderWay } from '../underWay.js';
import { convertedFor, prepareAttempt, refuseForeign } from './command.js';
import { launchAttempt, recordAttempt } from './launch.js';
import { type Begin, planAttempt } from './plan.js';
import { refuseUnsafe } from './safeAgain.js';
import { prepareAgain } from './startAgain.js';
import { prepareScript } from './startScript.js';

/** The parts of the program that a start needs. */
export type Beginning = {
  settings: Settings;
  secrets: Pick<Secrets, 'environment'>;
  describe: Describe;
  outputs: Outputs;
  underWay: UnderWay;
  hashes: FileHashes;
};

/** `failed`: why the trainer could not be started, in words; its attempt is recorded anyway. */
export type Begun = { session: Session; failed: string | null };

/**
 * Starts an attempt of a session: a first start, a resume from a state folder, or a relaunch from the beginning. Files
 * that the trainer would overwrite are moved to `earlier/` first. Resolves when the trainer process runs, or is known
 * not to start. Throws a Problem when an attempt is alive already (with its address), or when something is missing. No
 * error loses a file.
 */
export async function beginAttempt(trackside: Beginning, name: string, begin: Begin): Promise<Begun> {
  const { beginning } = trackside.underWay;
  // The second of two clicks is answered at once, without waiting for the lock.
  if (beginning.has(name)) throw alreadyRunning(name, 'It is starting right now.');
  beginning.add(name);
  try {
    const begun = await beginAlone(trackside, name, begin);
    const { number: attempt } = begun.session.latest ?? {};
    log.info('sessions', STARTED[begin.automaticAfter ? 'auto-resume' : begin.kind], { session: name, attempt });
    return begun;
  } catch (error) {
    const code = error instanceof Problem ? error.code : undefined;
    log.info('sessions', `Not started (${begin.kind}).`, { session: name, code, error });
    throw error;
  } finally {
    beginning.delete(name);
  }
}

const STARTED = {
  start: 'Started.',
  resume: 'Resumed.',
  relaunch: 'Started over.',
  'auto-resume': 'Resumed automatically.',
};

async function beginAlone(trackside: Beginning, name: string, begin: Begin): Promise<Begun> {
  const { outputs, settings } = trackside;
  const folder = await outputs.folder(name);
  // A person may have started one in a terminal a moment ago.
  await lookForRuns({ cluster: hasCluster(settings) });
  // A session that may be alive is read before the lock is taken: a refusal does not wait for the lock.
  if (!rests(outputs.facts(name))) refuseIfAlive(await outputs.read(name));
  let claim: Claim | undefined;
  const begun = withSessionLock(folder, async () => {
    const session = await readAtRest(trackside, name, begin);
    const launcher = launcherFor(settings, session.state);
    await refuseUnsafe(session, launcher, begin);
    if (session.trainer === TRACKED)
      return launchAttempt(trackside, await prepareAgain(settings, session, begin, launcher));
    const own = session.state && findTrainer(settings, session.trainer);
    if (own?.own) return launchAttempt(trackside, await prepareScript(settings, session, own, begin, launcher));
    const found = await look(trackside, session);
    const { trainer, state } = found;
    if (launcher === 'local' && wantsGpu(trainer, state.vram))
      claim = await claimGpus(trackside, name, begin.fromQueue?.gpus ?? begin.gpus ?? state.gpus ?? '');
    const gpus = launcher === 'local' ? (claim?.gpus ?? []) : gpusOnNode(state);
    const plan = await planAttempt(readRun({ ...found, gpus }), begin, launcher);
    refuseErrors(name, await findingsFor(settings, plan, plan.from?.firstEpoch ?? 1, launcher));
    const attempt = await prepareAttempt(settings, plan);
    await refuseForeign(trackside, attempt);
    // A job's runner does it when it starts, perhaps hours later.
    if (launcher === 'local') await attempt.room.make();
    const pictures = convertedFor(plan);
    if (pictures) await convertDataset(settings.datasets, plan.detail, pictures, plan.settings.resolution);
    return launchAttempt(trackside, await recordAttempt(settings, attempt));
  });
  try {
    const launched = await begun.catch(async (error: unknown) => {
      await outputs.refresh(name);
      throw error;
    });
    const session = (await outputs.refresh(name)) ?? (await outputs.read(name));
    if (typeof launched === 'object' && 'heldBy' in launched) throw alreadyRunning(name, launched.heldBy);
    if (launched === 'started') fillIn(trackside, session);
    return { session, failed: launched === 'started' ? null : launched.failed };
  } finally {
    // Only now is the attempt known to hold them.
    claim?.release();
  }
}

/** Completes the record of what it is made from, beside the training: hashes of gigabytes take minutes. */
function fillIn({ settings, hashes }: Beginning, { name, folder, latest }: Session): void {
  const { python, models } = settings;
  void completeProvenance(folder, interpreterOf(latest?.argv ?? [], python), { hashes, models }).catch(
    logged('sessions', 'The record of what it is made from could not be completed.', name),
  );
}

/** Was the session at rest, with nothing to correct, when it was last read? */
function rests(facts: SessionFacts | null): boolean {
  if (!facts?.looked_into || facts.by_hand) return false;
  return ['draft', 'stopped', 'completed', 'failed'].includes(facts.status);
}

/** Reads the whole session. Throws a Problem if something of it runs. */
async function readAtRest({ outputs }: Beginning, name: string, begin: Begin): Promise<Session> {
  const session = await outputs.read(name);
  refuseIfAlive(session);
  // Another Trackside, or a person, may have acted between the decision and the lock.
  if (begin.automaticAfter && !(session.latest?.id === begin.automaticAfter && session.facts.auto_resume.will))
    throw notDue(name, `${name} no longer needs an auto-resume.`);
  if (begin.fromQueue && !isWaiting(session.facts)) throw notDue(name, `${name} no longer waits in the queue.`);
  return session;
}

/** Reads the trainer and the pictures that its record names. */
async function look({ settings }: Beginning, session: Session): Promise<Omit<Found, 'gpus'>> {
  const { state } = session;
  if (!state) throw notOurs(session);
  const trainer = findTrainer(settings, session.trainer);
  return { session, state, trainer, detail: await readPictures(settings, session, state, BEFORE_A_START) };
}

function refuseIfAlive(session: Session): void {
  const { liveness, facts, byHand } = session;
  if (liveness.alive === 'job' || (session.pending && session.job))
    throw alreadyRunning(session.name, facts.reason ?? 'It has a job on the cluster.');
  if (liveness.alive === 'here') throw alreadyRunning(session.name, `It runs as process ${liveness.pid}.`);
  if (liveness.alive === 'elsewhere') throw alreadyRunning(session.name, facts.reason ?? 'It runs on another machine.');
  const waits = byHand && waitingWords(byHand);
  if (waits)
    throw new Problem('already_running', `${waits} It will write into the folder of ${session.name}.`, {
      about: { session: session.name },
    });
  if (byHand)
    throw alreadyRunning(session.name, `It was started by hand, ${wordsOfRun(byHand)}, and writes into its folder.`);
}

function notDue(name: string, message: string): Problem {
  return new Problem('not_due', message, { about: { session: name } });
}

function alreadyRunning(name: string, detail: string): Problem {
  return new Problem('already_running', `${name} is already training. ${detail}`, { about: { session: name } });
}

function notOurs(session: Session): Problem {
  const unread = session.facts.reason ?? "Its ui_state.json can't be read.";
  const none = 'This folder has no ui_state.json, so its settings are unknown. Create a new training instead.';
  const message = session.file.kind === 'unreadable' ? unread : none;
  return new Problem('no_settings', message, { about: { session: session.name } });
}
