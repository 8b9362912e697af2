import { dirname, join } from 'node:path';
import { openInside } from '../security/paths.js';
import { type MetricPoint, readLosses } from '../sessions/curve.js';
import { preflight } from '../sessions/preflight/preflight.js';
import { checkpointsOf, samplesOf, statesOf } from '../sessions/products.js';
import type { Session } from '../sessions/session.js';
import { LOG_FILE } from '../telemetry/follow.js';
import { readLogTail } from '../telemetry/logTail.js';
import type { Trackside } from '../trackside.js';
import type { CurvePoint, SessionModel } from '../views/pages.js';
import { pageModel } from './home.js';

const TAIL_LINES = 500;
const CURVE_POINTS = 600;

/** A session's page, read anew. */
export async function sessionPage(trackside: Trackside, name: string, root: string): Promise<string> {
  const model = await sessionModel(trackside, name, root);
  const { next } = model.session;
  const mayStart = next !== null && next !== 'stop';
  const found = mayStart ? await preflight(trackside, await trackside.outputs.read(name)) : null;
  return trackside.views.session({ ...model, preflight: found });
}

/** What a session's page shows. `withLog` false leaves the log out, for updates that send it otherwise. */
export async function sessionModel(
  trackside: Trackside,
  name: string,
  root: string,
  withLog = true,
): Promise<SessionModel> {
  const session = await trackside.outputs.read(name);
  const log = withLog
    ? await readLogTail(join(session.folder, LOG_FILE), TAIL_LINES)
    : { text: '', inode: 0, offset: 0 };
  return {
    ...(await pageModel(trackside, root, name)),
    session: session.facts,
    states: statesOf(session),
    checkpoints: await checkpointsOf(session),
    samples: await samplesOf(session),
    prompts: await promptsOf(session),
    logTail: log.text,
    logPosition: `${log.inode}:${log.offset}`,
    curve: thinCurve(await readLosses(session)),
  };
}

/** The prompts that samples were made of, in the trainer's order: comments and empty lines do not count. */
export async function promptsOf(session: Session): Promise<string[]> {
  const text = (await promptFile(session)) ?? session.state?.sample_prompts ?? '';
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith('#'));
}

async function promptFile({ folder }: Session): Promise<string | null> {
  const file = await openInside(dirname(folder), join(folder, 'sample_prompts.txt')).catch(() => null);
  try {
    return file && (await file.readFile('utf8'));
  } finally {
    await file?.close();
  }
}

function thinCurve(points: readonly MetricPoint[]): CurvePoint[] {
  const losses = points.filter((point) => Number.isFinite(point.value));
  const every = Math.ceil(losses.length / CURVE_POINTS);
  return losses
    .filter((_, index) => every <= 1 || index % every === 0 || index === losses.length - 1)
    .map(({ step, value, attempt }) => ({ step, loss: value, attempt }));
}
