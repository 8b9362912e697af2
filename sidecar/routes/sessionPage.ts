import { join } from 'node:path';
import { copyCommands } from '../pods/copyCommands.js';
import { publishFacts } from '../publish/publishFacts.js';
import { keptEarlier } from '../sessions/lineage/earlier.js';
import { preflight } from '../sessions/preflight/preflight.js';
import { readLosses } from '../sessions/products/curve.js';
import { filesOf } from '../sessions/products/files.js';
import { bestCheckpoint, checkpointsOf, samplesOf, statesOf } from '../sessions/products/products.js';
import { promptsOf } from '../sessions/products/prompts.js';
import type { Session } from '../sessions/status/session.js';
import { LOG_FILE } from '../telemetry/follow.js';
import { readLogTail } from '../telemetry/logTail.js';
import type { Trackside } from '../trackside.js';
import type { PodFiles } from '../views/podFiles.js';
import type { SessionModel } from '../views/session.js';
import { pageModel } from './home.js';
import { whereModel } from './where.js';

const TAIL_LINES = 500;

/** A session's page, read anew. */
export async function sessionPage(trackside: Trackside, name: string, root: string): Promise<string> {
  const session = await trackside.outputs.read(name);
  const model = await modelOf(trackside, session, root);
  const { next } = model.session;
  const mayStart = next !== null && next !== 'stop';
  const found = mayStart ? await preflight(trackside, session) : null;
  const files = await podFiles(session, COUNT_MS);
  const where = await whereModel(trackside.settings, session.facts.settings.launcher);
  return trackside.views.session({ ...model, preflight: found, files, where });
}

/** Milliseconds that a page waits for the sizes of folders. */
const COUNT_MS = 300;

/** Where the files of a session lie, and how they come from the pod. `patience` as in `filesOf`. */
export async function podFiles(session: Session, patience?: number): Promise<PodFiles> {
  const { output_path: folder, final_checkpoint: final } = session.facts;
  return { files: await filesOf(session, patience), ...copyCommands(folder, final, process.env) };
}

/** What a session's page shows without its log, which updates send otherwise. `asOf` as in `outputs.read`. */
export async function sessionModel(
  trackside: Trackside,
  name: string,
  root: string,
  asOf?: number,
): Promise<SessionModel> {
  return modelOf(trackside, await trackside.outputs.read(name, asOf), root, false);
}

async function modelOf(trackside: Trackside, session: Session, root: string, withLog = true): Promise<SessionModel> {
  const { name } = session;
  const [checkpoints, samples] = [await checkpointsOf(session), await samplesOf(session)];
  const perEpoch = session.progress?.steps_per_epoch ?? null;
  const log = withLog
    ? await readLogTail(join(session.folder, LOG_FILE), TAIL_LINES)
    : { text: '', inode: 0, offset: 0 };
  return {
    ...(await pageModel(trackside, root, name)),
    session: session.facts,
    states: statesOf(session),
    checkpoints,
    publish: await publishFacts(
      trackside.publishing.facts(name),
      trackside.secrets.get('HF_TOKEN') !== null,
      session,
      checkpoints,
    ),
    best: bestCheckpoint(session.facts.best_sample, samples, checkpoints, perEpoch),
    samples,
    kept: await keptEarlier(session),
    prompts: await promptsOf(session),
    cost: trackside.pod.cost(session.facts),
    logTail: log.text,
    logPosition: `${log.inode}:${log.offset}`,
    datasets: trackside.settings.datasets,
    curve: await readLosses(session),
  };
}
