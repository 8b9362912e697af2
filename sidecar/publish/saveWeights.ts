import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { HubAccess } from '../hub/hub.js';
import { signOf } from '../pods/downloaded.js';
import type { PodSettings } from '../pods/podSettings.js';
import { exitOf, isInPath } from '../processes/run.js';
import type { SessionFacts } from '../sessions/facts.js';
import { checkpointsOf } from '../sessions/products/products.js';
import { isOver } from './publish.js';
import { type Publisher, publishSession } from './publishSession.js';

const LOOK_MS = 500;
/** The longest upload of one file by rclone. */
const PATIENCE_MS = 6 * 3_600_000;

type Saver = Publisher & { modelHub: HubAccess };

/**
 * Uploads the final weights of sessions, or their newest where there are none, and checks at the other end that each arrived
 * whole. `uploaded` names what did before, which is left out. Resolves to it with the new ones; rejects with words.
 */
export async function saveWeights(
  saver: Saver,
  { upload, target }: Pick<PodSettings, 'upload' | 'target'>,
  sessions: readonly SessionFacts[],
  uploaded: Record<string, string>,
): Promise<Record<string, string>> {
  const done = { ...uploaded };
  for (const { name } of sessions) {
    const path = await weightsOf(saver, name);
    const sign = path && (await signOf(path));
    if (!path || !sign || done[path] === sign) continue;
    if (upload === 'hub') await toHub(saver, target, name, path);
    else await byRclone(target, name, path);
    done[path] = sign;
  }
  return done;
}

/** Absolute path of a session's weights; null without any. */
export async function weightsOf({ outputs }: Pick<Saver, 'outputs'>, name: string): Promise<string | null> {
  const session = await outputs.read(name);
  const whole = (await checkpointsOf(session)).filter(({ problem, path }) => !problem && !path.includes('/'));
  const chosen = whole.find(({ kind }) => kind === 'final') ?? whole[0];
  return chosen ? join(session.folder, chosen.path) : null;
}

async function toHub(saver: Saver, owner: string, session: string, path: string): Promise<void> {
  const file = basename(path);
  const started = await publishSession(saver, session, {
    repo: `${owner}/${session}`,
    private: true,
    checkpoints: [file],
    samples: true,
  });
  for (;;) {
    const facts = saver.publishing.facts(session);
    if (!facts) throw new Error(`The upload of ${session} was cancelled.`);
    if (facts.status === 'failed') throw new Error(`${session} could not be uploaded. ${facts.message ?? ''}`);
    if (isOver(facts)) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  // Large and rarely needed, so loaded here.
  const { pathsInfo } = await import('@huggingface/hub');
  const token = saver.modelHub.token();
  const at = { repo: { type: 'model' as const, name: started.repo }, hubUrl: saver.modelHub.endpoint };
  const found = await pathsInfo({ ...at, paths: [file], ...(token ? { accessToken: token } : {}) });
  const { size } = await stat(path);
  if (found.find((each) => each.path === file)?.size !== size)
    throw new Error(`${file} is not whole on the hub after its upload.`);
}

/** `rclone check` compares sums where both ends have them, and sizes (rclone.org/commands/rclone_check). */
async function byRclone(target: string, session: string, path: string): Promise<void> {
  if (!isInPath('rclone')) throw new Error('rclone is not installed on this pod, so the weights were not uploaded.');
  const to = `${target.endsWith('/') || target.endsWith(':') ? target : `${target}/`}${session}`;
  const copied = await exitOf(['rclone', 'copy', path, to], PATIENCE_MS);
  if (copied.code !== 0) throw new Error(`${basename(path)} could not be uploaded with rclone. ${copied.said}`);
  const checked = await exitOf(['rclone', 'check', path, to, '--one-way'], PATIENCE_MS);
  if (checked.code !== 0) throw new Error(`${basename(path)} differs at ${target} after its upload. ${checked.said}`);
}
